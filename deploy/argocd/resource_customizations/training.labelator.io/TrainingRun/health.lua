local health = { status = "Progressing", message = "Waiting for the operator" }
if obj.status == nil or obj.status.conditions == nil then
  return health
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  health.message = "Waiting for the operator to observe the change"
  return health
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end

health.message = conditions.Succeeded.message
if conditions.Succeeded.status == "True" then
  health.status = "Healthy"
elseif conditions.Stalled.status == "True" then -- failed, or only a person can help
  health.status = "Degraded"
elseif conditions.Succeeded.reason == "Suspended" then
  health.status = "Suspended"
end
return health

"""What a model can learn to do: each task from its data to what is said of the model."""

from .loading import load_task
from .task import Anew, Encoded, EvaluationResult, Task, TaskData

__all__ = ["Anew", "Encoded", "EvaluationResult", "Task", "TaskData", "load_task"]

// Finding and making elements.

const byId = (id) => document.getElementById(id);

/** An element with properties and children; strings become text, never markup. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Say something to those who don't see the page change. */
const announce = (message) => {
  byId("status").textContent = message;
};

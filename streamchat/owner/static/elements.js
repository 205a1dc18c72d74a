// Elements of the page, found and made.
export const at = id => document.getElementById(id)

export const say = (id, sentence) => {
  if (at(id).textContent !== sentence) at(id).textContent = sentence  // else it would be read aloud again
}

export const made = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  Object.assign(element, attributes)
  element.append(...children)
  return element
}

export const drawn = (name, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

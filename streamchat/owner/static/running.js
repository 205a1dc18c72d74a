// The replies that run, each with a button that stops it.
import {at, made} from "./elements.js"
import {dollars, seconds, text} from "./words.js"

/* A row stays the same element for as long as its reply runs, so that a press is never lost. */
export const showRunning = (running, act) => {
  const rows = new Map([...at("running").children].map(row => [row.dataset.name, row]))
  for (const reply of running) {
    const row = rows.get(reply.name) || newRow(reply, act)
    rows.delete(reply.name)
    const whose = reply.visitor ? [text("visitor", {visitor: reply.visitor})] : []
    const far = reply.first_word === null ? text("no_word") : text("words", {words: reply.words})
    row.querySelector("small").textContent = [...whose, seconds(reply.seconds), far, dollars(reply.cost)].join(" · ")
  }
  for (const row of rows.values()) row.remove()
}

const newRow = ({name, model}, act) => {
  const stop = made("button", {type: "button", textContent: text("stop"), onclick: () => act(stop, "DELETE", `replies/${name}`)})
  const row = made("li", {}, made("div", {}, model, made("small")), stop)
  row.dataset.name = name
  at("running").append(row)
  return row
}

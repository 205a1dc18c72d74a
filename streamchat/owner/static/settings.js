// The settings that hold at once.
import {at, made, say} from "./elements.js"
import {call} from "./server.js"
import {has, plain, text} from "./words.js"

const KEYBOARDS = {daily_budget_usd: "decimal", visitor_budget_usd: "decimal"}
const form = at("settings")
const inputs = () => [...form.querySelectorAll("input")]
const isTyped = input => input.value !== input.dataset.now
const showTyped = () => { form.querySelector("button:not(.back)").disabled = !inputs().some(isTyped) }
let look = async () => {}

const newInput = name => {
  const label = has(`label_${name}`) ? text(`label_${name}`) : plain(name)
  const hint = has(`hint_${name}`) ? text(`hint_${name}`) : ""
  const inputMode = KEYBOARDS[name] || "text"
  const input = made("input", {name, inputMode, id: `set-${name}`, maxLength: 500, spellcheck: false, oninput: showTyped})
  input.setAttribute("aria-describedby", `hint-${name}`)
  const back = made("button", {type: "button", className: "back", onclick: () => change({[name]: null})})
  at("refused").before(made("div", {}, made("label", {htmlFor: input.id, textContent: label}),
    made("small", {id: `hint-${name}`, textContent: hint}), input, back))
  input.dataset.now = ""
  return input
}

/* A field keeps what is typed into it until it is saved. */
export const showSettings = ({settings, settings_kept: kept}) => {
  say("kept", text(kept ? "settings_kept" : "settings_lost"))
  for (const {name, value, default: usual, changed} of settings) {
    const input = form.elements[name] || newInput(name)
    if (!isTyped(input)) input.value = value
    input.dataset.now = value
    const back = input.nextSibling
    back.hidden = !changed
    back.textContent = usual ? text("back_to", {value: usual}) : text("back_to_none")
  }
  showTyped()
}

const change = async changes => {
  const refusal = await call("PUT", "settings", changes).then(() => "", error => error.message)
  at("refused").hidden = !refusal
  at("refused").textContent = refusal
  at("saved").textContent = refusal ? "" : text("saved")
  if (!refusal) for (const input of inputs()) if (input.name in changes) input.value = input.dataset.now
  await look()
}

form.onsubmit = event => {
  event.preventDefault()
  change(Object.fromEntries(inputs().filter(isTyped).map(({name, value}) => [name, value])))
}

export const whenChanged = then => { look = then }

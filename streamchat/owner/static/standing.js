// Who answers, what is spent, and how many replies there were.
import {at, say} from "./elements.js"
import {dollars, since, text} from "./words.js"

export const showState = ({source, demo, pausable, paused, recorded, trouble}) => {
  say("source", source)
  const kind = demo ? "demo" : !pausable ? "other" : paused ? "paused" : trouble ? "troubled" : recorded ? "" : "unrecorded"
  at("who").className = kind
  say("who", {
    "": text("claude_answers"), paused: text("claude_paused"), troubled: text("claude_troubled"),
    unrecorded: text("claude_unrecorded"), demo: text("demo_answers"), other: text("other_answers", {source}),
  }[kind])
  say("meaning", {
    "": text("meaning_answers"),
    paused: text("meaning_paused", {since: since(paused)}),
    troubled: trouble && text("meaning_troubled", {sentence: trouble.sentence, since: since(trouble.since)}),
    unrecorded: text("meaning_unrecorded"), demo: text("meaning_demo"), other: text("meaning_other"),
  }[kind])
  at("switch").hidden = !pausable
  at("switch").setAttribute("aria-checked", String(!paused))
}

export const showMoney = money => {
  for (const section of document.querySelectorAll(".spending")) section.hidden = !money
  if (!money) return
  const whole = money.spent + money.reserved + money.left || 1
  for (const id of ["spent", "reserved", "left"]) at(id).textContent = dollars(money[id])
  at("assumed").hidden = !money.assumed
  say("assumed", text("assumed", {assumed: dollars(money.assumed)}))
  const [spent, reserved] = document.querySelectorAll(".meter i")
  spent.style.width = `${100 * money.spent / whole}%`
  reserved.style.width = `${100 * money.reserved / whole}%`
  const said = text("money_said", {spent: dollars(money.spent), reserved: dollars(money.reserved), left: dollars(money.left)})
  document.querySelector(".meter").setAttribute("aria-label", said)
}

export const showCounts = ({hours, running}) => {
  const sum = field => hours.reduce((sum, span) => sum + span[field], 0)
  at("ended").textContent = sum("replies")
  at("failed").textContent = sum("failed")
  at("failed").classList.toggle("failing", sum("failed") > 0)
  at("count").textContent = running.length
  at("searches").textContent = sum("searches")
  at("searched").hidden = !sum("searches")
}

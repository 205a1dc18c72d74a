"use strict"

const EVERY = 2000, HEIGHT = 160, LEFT = 56, RIGHT = 8, TOP = 8, BOTTOM = 22
const ENDS = {
  end_turn: "came to their end", max_tokens: "ran out of room", refusal: "declined by Claude", stopped: "stopped",
  abandoned: "nobody was reading", shutdown: "the server stopped",
}
const at = id => document.getElementById(id)
const words = code => code.replaceAll("_", " ")
const dollars = amount => "$" + (amount && amount < 0.1 ? amount.toFixed(4) : amount.toFixed(2))
const seconds = number => number > 100 ? Math.round(number / 60) + " min" : number.toFixed(number < 10 ? number < 1 ? 2 : 1 : 0) + " s"
const day = time => new Date(time * 1000).toLocaleDateString("en", {timeZone: "UTC", month: "short", day: "numeric"})
const hour = time => new Date(time * 1000).toISOString().slice(11, 16)
const since = time => new Date(time * 1000).toLocaleString([], {dateStyle: "medium", timeStyle: "short"})

const say = (id, sentence) => {
  if (at(id).textContent !== sentence) at(id).textContent = sentence  // else it would be read aloud again
}

const made = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  Object.assign(element, attributes)
  element.append(...children)
  return element
}

const drawn = (name, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

/* The smallest round number that is not less. */
const round = number => {
  const power = 10 ** Math.floor(Math.log10(number))
  return [1, 2, 4, 5, 10].map(digit => digit * power).find(round => round >= number * 0.999)
}

/* Points have a label, a value or null, and a tick where the axis names them. */
class Chart {
  constructor(id, {bars = false, told, sum, empty}) {
    Object.assign(this, {id, bars, told, sum, empty, points: [], picked: null})
    this.plot = made("div", {className: "plot"})
    this.caption = made("figcaption")
    at(id).append(this.plot, this.caption)
    for (const kind of ["pointerdown", "pointermove"]) this.plot.addEventListener(kind, event => this.pick(event))
    this.plot.addEventListener("pointerleave", event => event.pointerType === "mouse" && this.pick(null))
    new ResizeObserver(() => this.draw()).observe(this.plot)
  }

  show(points) {
    if (JSON.stringify(points) === JSON.stringify(this.points)) return
    this.points = points
    this.draw()
  }

  pick(event) {
    const x = event ? (event.clientX - this.plot.getBoundingClientRect().left - LEFT) / this.step : -1
    this.picked = this.points[Math.floor(x)] ? Math.floor(x) : null
    this.draw()
  }

  draw() {
    const known = this.points.map(point => point.value).filter(value => value !== null)
    const picked = this.points[this.picked], said = known.some(value => value > 0) ? this.sum(known) : this.empty
    this.caption.textContent = picked ? `${picked.label}: ${picked.value === null ? "nothing" : this.told(picked.value)}` : said
    const width = this.plot.clientWidth
    if (said === this.empty) return this.plot.replaceChildren()
    if (width <= LEFT + RIGHT) return
    this.step = (width - LEFT - RIGHT) / (this.points.length || 1)
    const top = round(Math.max(...known, 0.001))
    const svg = drawn("svg", {width, height: HEIGHT, role: "img", "aria-label": said})
    svg.append(...this.axes(width, top), ...(this.bars ? this.columns(top) : this.line(top)))
    if (picked) svg.append(drawn("rect", {class: "cursor", x: this.x(this.picked, 0), y: TOP, width: this.step, height: HEIGHT - TOP - BOTTOM}))
    this.plot.replaceChildren(svg)
  }

  x(number, part = 0.5) { return LEFT + (number + part) * this.step }
  y(value, top) { return TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM) }

  axes(width, top) {
    const lines = [0, top / 2, top].flatMap(value => [
      drawn("line", {class: "grid", x1: LEFT, x2: width - RIGHT, y1: this.y(value, top), y2: this.y(value, top)}),
      drawn("text", {x: LEFT - 6, y: this.y(value, top) + 4, "text-anchor": "end"}, value ? this.told(value) : this.told(0).replace(/\.0+/, "")),
    ])
    const names = this.points.map(({tick}, number) => tick && drawn("text", {
      x: Math.min(Math.max(this.x(number), LEFT + 16), width - 20), y: HEIGHT - 4, "text-anchor": "middle",
    }, tick)).filter(Boolean)
    return [...lines, ...names]
  }

  columns(top) {
    return this.points.map(({value}, number) => value && drawn("rect", {
      class: "bar", x: this.x(number, 0.15), width: this.step * 0.7, rx: 2,
      y: this.y(value, top), height: this.y(0, top) - this.y(value, top),
    })).filter(Boolean)
  }

  line(top) {
    const places = this.points.map(({value}, number) => value === null ? null : [this.x(number), this.y(value, top)])
    const path = places.map((place, number) => place && (places[number - 1] ? "L" : "M") + place).filter(Boolean).join("")
    const dots = places.filter(Boolean).map(([cx, cy]) => drawn("circle", {class: "dot", cx, cy, r: 3}))
    return path ? [drawn("path", {class: "line", d: path}), ...dots] : []
  }
}

const total = values => `${dollars(values.reduce((sum, value) => sum + value, 0))} in all`
const votes = values => `${values.reduce((sum, value) => sum + value, 0)} in all`
const between = told => values => {
  const each = period === "hours" ? "Hourly" : "Daily"
  const [least, most] = [Math.min(...values), Math.max(...values)].map(told)
  return least === most ? `${each} medians of ${most}` : `${each} medians from ${least} to ${most}`
}
const speed = value => value < 10 ? value.toFixed(1) : value.toFixed(0)
const charts = {
  today: new Chart("today", {bars: true, told: dollars, sum: total, empty: "Nothing was spent today."}),
  month: new Chart("month", {bars: true, told: dollars, sum: total, empty: "Nothing was spent in 30 days."}),
  up: new Chart("up", {bars: true, told: String, sum: votes, empty: "No thumb up in 30 days."}),
  down: new Chart("down", {bars: true, told: String, sum: votes, empty: "No thumb down in 30 days."}),
  wait: new Chart("first-word", {told: seconds, sum: between(seconds), empty: "No reply in this time."}),
  speed: new Chart("speed", {told: speed, sum: between(speed), empty: "No reply in this time."}),
}
let period = "hours", state

const hours = spans => spans.map(({at, ...span}) => ({...span, label: hour(at), tick: at % 21600 ? "" : hour(at)}))
const days = spans => spans.map(({at, ...span}, number) =>
  ({...span, label: day(at), tick: (spans.length - 1 - number) % 7 ? "" : day(at)}))
const points = (spans, field) => spans.map(({label, tick, [field]: value}) => ({label, tick, value}))

const showCharts = () => {
  const midnight = state.days.at(-1).at
  const slots = Array.from({length: 24}, (_, number) => ({at: midnight + number * 3600, cost: null}))
  const known = new Map(state.hours.map(span => [span.at, span]))
  charts.today.show(points(hours(slots.map(slot => known.get(slot.at) || slot)), "cost"))
  const spent = state.days.map((span, number) => ({...span, cost: state.money ? state.money.days[number] : 0}))
  charts.month.show(points(days(spent), "cost"))
  for (const thumb of ["up", "down"]) charts[thumb].show(points(days(state.votes), thumb))
  const spans = period === "hours" ? hours(state.hours) : days(state.days)
  charts.wait.show(points(spans, "first_word"))
  charts.speed.show(points(spans, "speed"))
}

const showState = ({source, demo, pausable, paused, recorded, trouble}) => {
  say("source", source)
  const kind = demo ? "demo" : !pausable ? "other" : paused ? "paused" : trouble ? "troubled" : recorded ? "" : "unrecorded"
  at("who").className = kind
  say("who", {
    "": "Claude answers", paused: "Claude is paused", troubled: "Claude does not answer", unrecorded: "Claude is not asked",
    demo: "The demo answers", other: `${source} answers`,
  }[kind])
  say("meaning", {
    "": "Turn it off and visitors read that you have paused Claude, programs are told to come back later, and replies that run go on.",
    paused: `Since ${since(paused)} visitors read that you have paused Claude, and programs are told to come back later.`,
    troubled: trouble && `${trouble.sentence} Since ${since(trouble.since)} visitors read that this chat cannot reach Claude.`,
    unrecorded: "What answers cost cannot be written to the disk. See the log, and the folder STREAMCHAT_DATA_DIR.",
    demo: "No key to Claude is set, so nothing is spent and there is nothing to pause.",
    other: "Its answers cost nothing here, so there is no budget and nothing to pause.",
  }[kind])
  at("switch").hidden = !pausable
  at("switch").setAttribute("aria-checked", String(!paused))
}

const showMoney = money => {
  for (const section of document.querySelectorAll(".spending")) section.hidden = !money
  if (!money) return
  const whole = money.spent + money.reserved + money.left || 1
  for (const id of ["spent", "reserved", "left"]) at(id).textContent = dollars(money[id])
  at("assumed").hidden = !money.assumed
  say("assumed", `Of the money spent, ${dollars(money.assumed)} is assumed: Claude was stopped, or failed, before it counted.`)
  const [spent, reserved] = document.querySelectorAll(".meter i")
  spent.style.width = `${100 * money.spent / whole}%`
  reserved.style.width = `${100 * money.reserved / whole}%`
  const said = `${dollars(money.spent)} spent, ${dollars(money.reserved)} set aside, ${dollars(money.left)} left`
  document.querySelector(".meter").setAttribute("aria-label", said)
}

const showCounts = ({hours, running}) => {
  const sum = field => hours.reduce((sum, span) => sum + span[field], 0)
  at("ended").textContent = sum("replies")
  at("failed").textContent = sum("failed")
  at("failed").classList.toggle("failing", sum("failed") > 0)
  at("count").textContent = running.length
}

/* A row stays the same element for as long as its reply runs, so that a press is never lost. */
const showRunning = running => {
  const rows = new Map([...at("running").children].map(row => [row.dataset.name, row]))
  for (const reply of running) {
    const row = rows.get(reply.name) || newRow(reply)
    rows.delete(reply.name)
    const whose = reply.visitor ? [`visitor ${reply.visitor}`] : []
    const far = reply.first_word === null ? "no word yet" : `${reply.words} words`
    row.querySelector("small").textContent = [...whose, seconds(reply.seconds), far, dollars(reply.cost)].join(" · ")
  }
  for (const row of rows.values()) row.remove()
}

const newRow = ({name, model}) => {
  const stop = made("button", {type: "button", textContent: "Stop", onclick: () => act(stop, "DELETE", `replies/${name}`)})
  const row = made("li", {}, made("div", {}, model, made("small")), stop)
  row.dataset.name = name
  at("running").append(row)
  return row
}

const showTable = (table, rows) => {
  const head = made("tr", {}, made("th"), made("th", {textContent: "24 hours"}), made("th", {textContent: "30 days"}))
  const row = ({name, note = "", day, month}) => made("tr", {},
    made("th", {scope: "row"}, name, made("small", {textContent: note, hidden: !note})),
    made("td", {textContent: day}), made("td", {textContent: month}))
  table.replaceChildren(...rows.length ? [made("thead", {}, head), made("tbody", {}, ...rows.map(row))] : [])
}

const errorRow = ({reason, sentence, last, day, month}) =>
  ({name: sentence || words(reason), note: `${reason}, last ${since(last)}`, day, month})

const FIELDS = {
  daily_budget_usd: ["Dollars a day for all", "All visitors together, in a UTC day.", "decimal"],
  visitor_budget_usd: ["Dollars a day for one visitor", "In a UTC day.", "decimal"],
  welcome: ["Greeting of an empty chat", "In place of its name.", "text"],
  tagline: ["Sentence below it", "One line.", "text"],
  rate_limit: ["How often one visitor may ask", "As in 20/minute;300/day, or off.", "text"],
}
const form = at("settings")
const inputs = () => [...form.querySelectorAll("input")]
const isTyped = input => input.value !== input.dataset.now
const showTyped = () => { form.querySelector("button:not(.back)").disabled = !inputs().some(isTyped) }

const newInput = name => {
  const [label, hint, inputMode] = FIELDS[name]
  const input = made("input", {name, inputMode, id: `set-${name}`, maxLength: 500, spellcheck: false, oninput: showTyped})
  input.setAttribute("aria-describedby", `hint-${name}`)
  const back = made("button", {type: "button", className: "back", onclick: () => change({[name]: null})})
  const text = made("label", {htmlFor: input.id, textContent: label})
  at("refused").before(made("div", {}, text, made("small", {id: `hint-${name}`, textContent: hint}), input, back))
  input.dataset.now = ""
  return input
}

/* A field keeps what is typed into it until it is saved. */
const showSettings = ({settings, settings_kept: kept}) => {
  say("kept", kept ? "It outlives a restart." : "It is lost with a restart, as the chat keeps nothing on a disk.")
  for (const {name, value, default: usual, changed} of settings) {
    const input = form.elements[name] || newInput(name)
    if (!isTyped(input)) input.value = value
    input.dataset.now = value
    const back = input.nextSibling
    back.hidden = !changed
    back.textContent = `Back to ${usual || "none"}`
  }
  showTyped()
}

const change = async changes => {
  const refusal = await call("PUT", "settings", changes).then(() => "", error => error.message)
  at("refused").hidden = !refusal
  at("refused").textContent = refusal
  at("saved").textContent = refusal ? "" : "Saved."
  if (!refusal) for (const input of inputs()) if (input.name in changes) input.value = input.dataset.now
  await look()
}

form.onsubmit = event => {
  event.preventDefault()
  change(Object.fromEntries(inputs().filter(isTyped).map(({name, value}) => [name, value])))
}

const showWords = words => {
  at("said").hidden = !words.length
  at("words").replaceChildren(...words.map(({at: time, up, words: said}) =>
    made("li", {}, made("div", {}, said, made("small", {textContent: `thumb ${up ? "up" : "down"}, ${since(time)}`})))))
}

const showThrottled = throttled => at("throttled").replaceChildren(...throttled.map(({visitor, seconds: wait}) =>
  made("li", {}, `visitor ${visitor}`, made("small", {textContent: `for ${seconds(wait)}`}))))

const show = news => {
  state = news
  showState(state)
  showMoney(state.money)
  showCounts(state)
  showRunning(state.running)
  showSettings(state)
  showTable(at("errors"), state.endings.filter(end => end.failed).map(errorRow))
  showTable(at("ends"), state.endings.filter(end => !end.failed).map(end => ({...end, name: Object.hasOwn(ENDS, end.reason) ? ENDS[end.reason] : words(end.reason)})))
  showThrottled(state.throttled)
  showWords(state.words)
  for (const empty of document.querySelectorAll(".empty")) empty.hidden = at(empty.dataset.of).hasChildNodes()
  document.querySelector("main").hidden = false
  showCharts()
}

const call = async (method, path, value) => {
  const sent = value && {headers: {"Content-Type": "application/json"}, body: JSON.stringify(value)}
  const answer = await fetch(`owner/${path}`, {method, ...sent, cache: "no-store", signal: AbortSignal.timeout(10000)})
  if (answer.ok) return answer
  const {message} = await answer.json().catch(() => ({}))
  throw Object.assign(new Error(message || `The server answers with ${answer.status}.`), {status: answer.status})
}

const trouble = (sentence = "") => {
  at("trouble").textContent = sentence
  at("trouble").hidden = !sentence
}

let loggedIn = true, looks = 0
const look = async () => {
  const number = ++looks
  try {
    const news = await (await call("GET", "state")).json()
    if (number < looks) return  // this one is old already
    show(news)
    loggedIn = true
    trouble()
  } catch (error) {
    loggedIn = error.status !== 401  // else the browser would ask for the password every other second
    trouble(error.status ? error.message : "The server does not answer. Trying again.")
  }
}

const act = async (button, method, path) => {
  button.disabled = true
  await call(method, path).catch(() => {})  // what came of it is seen at once
  await look()
  button.disabled = false
}

const live = async () => {
  if (!document.hidden && loggedIn) await look()
  setTimeout(live, EVERY)
}

at("switch").onclick = () => act(at("switch"), state.paused ? "DELETE" : "PUT", "pause")
document.addEventListener("visibilitychange", () => document.hidden || look())
for (const button of document.querySelectorAll("[data-period]")) button.onclick = () => {
  period = button.dataset.period
  for (const each of document.querySelectorAll("[data-period]"))
    each.setAttribute("aria-pressed", String(each === button))
  showCharts()
}
live()

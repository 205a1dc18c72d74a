// What the charts of the page show: money, thumbs, and speed in the chosen period.
import {Chart} from "./chart.js"
import {day, dollars, hour, seconds, text} from "./words.js"

const added = values => values.reduce((sum, value) => sum + value, 0)
const total = values => text("in_all", {sum: dollars(added(values))})
const count = values => text("in_all", {sum: added(values)})
const between = told => values => {
  const [least, most] = [Math.min(...values), Math.max(...values)].map(told)
  const each = period === "hours" ? ["hourly_all", "hourly_between"] : ["daily_all", "daily_between"]
  return text(each[least === most ? 0 : 1], {least, most})
}
const speed = value => value < 10 ? value.toFixed(1) : value.toFixed(0)
const charts = {
  today: new Chart("today", {bars: true, told: dollars, sum: total, empty: text("none_today")}),
  month: new Chart("month", {bars: true, told: dollars, sum: total, empty: text("none_month")}),
  up: new Chart("up", {bars: true, told: String, sum: count, empty: text("none_up")}),
  down: new Chart("down", {bars: true, told: String, sum: count, empty: text("none_down")}),
  wait: new Chart("first-word", {told: seconds, sum: between(seconds), empty: text("none_ended")}),
  speed: new Chart("speed", {told: speed, sum: between(speed), empty: text("none_ended")}),
}
let period = "hours", shown

const hours = spans => spans.map(({at, ...span}) => ({...span, label: hour(at), tick: at % 21600 ? "" : hour(at)}))
const days = spans => spans.map(({at, ...span}, number) =>
  ({...span, label: day(at), tick: (spans.length - 1 - number) % 7 ? "" : day(at)}))
const points = (spans, field) => spans.map(({label, tick, [field]: value}) => ({label, tick, value}))

const draw = state => {
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

export const showCharts = state => {
  shown = state
  draw(state)
}

for (const button of document.querySelectorAll("[data-period]")) button.onclick = () => {
  period = button.dataset.period
  for (const each of document.querySelectorAll("[data-period]"))
    each.setAttribute("aria-pressed", String(each === button))
  draw(shown)
}

// Looks at the server every other second, and shows what is new.
import {showCharts} from "./charts.js"
import {at} from "./elements.js"
import {showEndings, showThrottled, showWords} from "./past.js"
import {showLinks} from "./links.js"
import {showRunning} from "./running.js"
import {call} from "./server.js"
import {showSettings, whenChanged} from "./settings.js"
import {showCounts, showMoney, showState} from "./standing.js"
import {text} from "./words.js"

const EVERY = 2000
let paused = false, loggedIn = true, looks = 0

const show = state => {
  paused = state.paused
  showState(state)
  showMoney(state.money)
  showCounts(state)
  showRunning(state.running, act)
  showSettings(state)
  showEndings(state.endings)
  showThrottled(state.throttled)
  showWords(state.words)
  for (const empty of document.querySelectorAll(".empty")) empty.hidden = at(empty.dataset.of).hasChildNodes()
  at("all").hidden = false
  showCharts(state)
}

const trouble = (sentence = "") => {
  at("trouble").textContent = sentence
  at("trouble").hidden = !sentence
}

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
    trouble(error.status ? error.message : text("no_answer"))
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

whenChanged(look)
at("switch").onclick = () => act(at("switch"), paused ? "DELETE" : "PUT", "pause")
const links = () => showLinks().catch(() => {}) // `look` tells of the trouble
document.addEventListener("visibilitychange", () => { if (!document.hidden) { look(); links() } })
live()
links()

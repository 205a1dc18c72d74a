// The links to shared conversations, each with a button that ends it. They are read from the disk, so that they are looked at seldom.
import {at, made} from "./elements.js"
import {call} from "./server.js"
import {since, text} from "./words.js"

const opened = number => number > 1 ? text("link_opened", {number}) : text(number ? "link_opened_once" : "link_unopened")

export const showLinks = async () => {
  const {links} = await (await call("GET", "links")).json()
  at("links").replaceChildren(...links.map(row))
  document.querySelector('.empty[data-of="links"]').hidden = links.length > 0
}

const row = ({name, at: time, opened: number}) => {
  const when = since(time)
  const end = made("button", {type: "button", textContent: text("end_link"), ariaLabel: text("end_link_label", {since: when})})
  end.onclick = () => { // the second press ends it
    end.onclick = () => ended(end, name)
    end.textContent = end.ariaLabel = text("end_link_sure")
  }
  return made("li", {}, made("div", {}, text("link_of", {since: when}), made("small", {textContent: opened(number)})), end)
}

const ended = async (button, name) => {
  button.disabled = true
  const refusal = await call("DELETE", `links/${name}`).then(() => "", error => error.message)
  at("links-refused").hidden = !refusal
  at("links-refused").textContent = refusal
  await showLinks().catch(() => {})
}

// How replies ended, who was throttled, and what readers wrote.
import {at, made} from "./elements.js"
import {has, plain, seconds, since, text} from "./words.js"

const showTable = (table, rows) => {
  const head = made("tr", {}, made("th"), made("th", {textContent: text("hours")}), made("th", {textContent: text("days")}))
  const row = ({name, note = "", day, month}) => made("tr", {},
    made("th", {scope: "row"}, name, made("small", {textContent: note, hidden: !note})),
    made("td", {textContent: day}), made("td", {textContent: month}))
  table.replaceChildren(...rows.length ? [made("thead", {}, head), made("tbody", {}, ...rows.map(row))] : [])
}

const errorRow = ({reason, sentence, last, day, month}) =>
  ({name: sentence || plain(reason), note: text("error_note", {reason, since: since(last)}), day, month})
const endRow = ({reason, ...end}) => ({...end, name: has(`end_${reason}`) ? text(`end_${reason}`) : plain(reason)})

export const showEndings = endings => {
  showTable(at("errors"), endings.filter(end => end.failed).map(errorRow))
  showTable(at("ends"), endings.filter(end => !end.failed).map(endRow))
}

export const showWords = words => {
  at("said").hidden = !words.length
  at("words").replaceChildren(...words.map(({at: time, up, words: said}) => {
    const note = text(up ? "thumb_up" : "thumb_down", {since: since(time)})
    return made("li", {}, made("div", {}, said, made("small", {textContent: note})))
  }))
}

export const showThrottled = throttled => at("throttled").replaceChildren(...throttled.map(({visitor, seconds: wait}) =>
  made("li", {}, text("visitor", {visitor}), made("small", {textContent: text("throttled_for", {time: seconds(wait)})}))))

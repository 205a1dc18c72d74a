// The words of the page, which the server has put into its head, and how values are said.
const WORDS = JSON.parse(document.querySelector('meta[name="words"]').content)

export const has = code => Object.hasOwn(WORDS, code)
export const text = (code, values = {}) => WORDS[code].replace(/\{(\w+)\}/g, (_, name) => values[name])

export const plain = code => code.replaceAll("_", " ")
export const dollars = amount => "$" + (amount && amount < 0.1 ? amount.toFixed(4) : amount.toFixed(2))
export const seconds = number => number > 100
  ? text("minutes", {number: Math.round(number / 60)})
  : text("seconds", {number: number.toFixed(number < 10 ? number < 1 ? 2 : 1 : 0)})
export const day = time => new Date(time * 1000)
  .toLocaleDateString(document.documentElement.lang, {timeZone: "UTC", month: "short", day: "numeric"})
export const hour = time => new Date(time * 1000).toISOString().slice(11, 16)
export const since = time => new Date(time * 1000).toLocaleString([], {dateStyle: "medium", timeStyle: "short"})

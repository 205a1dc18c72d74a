// A chart of bars or of a line.
import {at, drawn, made} from "./elements.js"
import {text} from "./words.js"

const HEIGHT = 160, LEFT = 56, RIGHT = 8, TOP = 8, BOTTOM = 22

/* The smallest round number that is not less. */
const round = number => {
  const power = 10 ** Math.floor(Math.log10(number))
  return [1, 2, 4, 5, 10].map(digit => digit * power).find(round => round >= number * 0.999)
}

/* Points have a label, a value or null, and a tick where the axis names them. */
export class Chart {
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
    this.caption.textContent = picked ? `${picked.label}: ${picked.value === null ? text("nothing") : this.told(picked.value)}` : said
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

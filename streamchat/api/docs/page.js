// Lists the routes of openapi.json, and tries them.
const WORDS = JSON.parse(document.querySelector('meta[name="words"]').content)
const text = (code, values = {}) => WORDS[code].replace(/\{(\w+)\}/g, (_, name) => values[name])

const made = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  Object.assign(element, attributes)
  element.append(...children)
  return element
}

// Words between backticks are code.
const written = words => words.split("`").map((part, number) => number % 2 ? made("code", {}, part) : part)

const pairs = entries => made("dl", {}, ...entries.flatMap(([name, text]) => [made("dt", {}, name), made("dd", {}, ...written(text))]))

const parameters = ({parameters = []}) => parameters.length ? [
  made("h3", {}, text("parameters")),
  pairs(parameters.map(each => [each.name, text(each.required ? "place" : "optional_place", {place: each.in})])),
] : []

const answers = ({responses}) => [
  made("h3", {}, text("answers")),
  pairs(Object.entries(responses).filter(([, {description}]) => description).map(([status, {description}]) => [status, description])),
]

const said = async (response, shown) => {
  const location = response.headers.get("location")
  shown.textContent = `${response.status} ${response.statusText}\n${location ? `Location: ${location}\n` : ""}\n`
  const words = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  for (let news = await words?.read(); news && !news.done; news = await words.read()) shown.textContent += news.value
}

const address = (path, fields) => path.slice(1).replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(fields[name].value))

const labelled = (name, field) => made("label", {}, `${name} `, field)

/* Sends what stands in the form, and shows the answer as it comes. */
const trial = (method, path, {requestBody, responses}) => {
  const examples = Object.values(requestBody?.content["application/json"].examples ?? {})
  const example = examples.length && JSON.stringify(examples[0].value, null, 2)
  const body = example && made("textarea", {value: example, rows: example.split("\n").length + 1, spellcheck: false})
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1])
  const fields = Object.fromEntries(names.map(name => [name, made("input", {required: true})]))
  const kinds = Object.keys(responses[200]?.content ?? {})
  const accept = made("select", {}, ...kinds.map(kind => made("option", {}, kind)))
  const shown = made("pre", {hidden: true})
  shown.setAttribute("aria-live", "polite")
  const send = async event => {
    event.preventDefault()
    shown.hidden = false
    shown.textContent = text("waiting")
    const headers = {...kinds.length ? {accept: accept.value} : {}, ...body ? {"content-type": "application/json"} : {}}
    const options = {method: method.toUpperCase(), headers, body: body ? body.value : undefined}
    await fetch(address(path, fields), options).then(response => said(response, shown))
      .catch(error => { shown.textContent += `\n${error.message}` })
  }
  const controls = [...Object.entries(fields).map(each => labelled(...each)),
    ...kinds.length > 1 ? [labelled(text("accept"), accept)] : [], made("button", {className: "main-button"}, text("send"))]
  return made("form", {onsubmit: send}, ...body ? [labelled(text("body"), body)] : [], made("div", {}, ...controls), shown)
}

const operation = (method, path, described) => made("section", {},
  made("h2", {}, made("b", {}, method.toUpperCase()), ` ${path}`),
  made("p", {}, ...written(described.description ?? "")),
  ...parameters(described), ...answers(described),
  made("h3", {}, text("try_it")), trial(method, path, described))

const show = ({paths}) => document.querySelector("main").append(...Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => operation(method, path, described))))

fetch("openapi.json").then(response => response.json()).then(show).catch(error => {
  document.querySelector("main").append(made("p", {className: "bad"}, text("no_list", {reason: error.message})))
})

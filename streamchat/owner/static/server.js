// Calls of the owner's routes.
import {text} from "./words.js"

// Rejects with an Error that has the server's sentence and, where it has answered, its status.
export const call = async (method, path, value) => {
  const sent = value && {headers: {"Content-Type": "application/json"}, body: JSON.stringify(value)}
  const answer = await fetch(`owner/${path}`, {method, ...sent, cache: "no-store", signal: AbortSignal.timeout(10000)})
  if (answer.ok) return answer
  const {message} = await answer.json().catch(() => ({}))
  throw Object.assign(new Error(message || text("answered_with", {status: answer.status})), {status: answer.status})
}

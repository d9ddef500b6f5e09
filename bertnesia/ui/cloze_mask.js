// Puts a mask where the prompt's cursor stands, or in place of what is selected there. The text before and behind it is
// sent rather than places in it, which JavaScript and Python count differently.
const watched = new Set()

// Fields come and go as the page is drawn, so the document is listened to: where the cursor has been counts.
function watch(selector) {
  if (watched.has(selector)) return
  watched.add(selector)
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches(selector)) target.dataset.visited = "yes"
  })
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const selector = `.st-key-${CSS.escape(data.field)} input`
  const button = parentElement.querySelector("button")
  watch(selector)
  button.title = data.help
  button.onclick = () => {
    const input = document.querySelector(selector)
    if (!input) return
    const { value, selectionStart, selectionEnd } = input
    const [start, end] = input.dataset.visited ? [selectionStart, selectionEnd] : [value.length, value.length]
    setTriggerValue("parts", [value.slice(0, start), value.slice(end)])
  }
  button.disabled = false
}

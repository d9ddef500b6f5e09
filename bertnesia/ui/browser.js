// One action of the user is one step of the browser's history: what a page writes to the address by itself, when it has
// opened, belongs to the step that opened it. And once the introduction was sent away, this browser remembers it.
export default function (component) {
  if (component.data?.welcomed) {
    document.cookie = `${component.data.cookie}=1; max-age=31536000; path=/; SameSite=Lax`
  }
  if (window.bertnesiaHistory) return
  window.bertnesiaHistory = true
  let acted = false
  for (const action of ["pointerdown", "keydown"]) {
    window.addEventListener(action, () => (acted = true), { capture: true, passive: true })
  }
  const push = window.history.pushState.bind(window.history)
  window.history.pushState = (state, title, url) => {
    if (acted) push(state, title, url)
    else window.history.replaceState(state, title, url)
    acted = false
  }
}

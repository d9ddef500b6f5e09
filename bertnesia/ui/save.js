// Saves the figure beside the buttons as a picture, drawn by the browser that shows it. The chart's own camera button
// knows one format only: it is told another one, and given the page's background, while it is clicked.
export default function (component) {
  const { data, parentElement } = component
  const background = getComputedStyle(parentElement.host ?? parentElement).getPropertyValue("--st-background-color")
  for (const button of parentElement.querySelectorAll("button")) {
    button.setAttribute("aria-label", `Save the figure ${data.name} as ${button.textContent}`)
    button.onclick = () => {
      const figure = document.querySelector(`.st-key-${CSS.escape(data.figure)} .js-plotly-plot`)
      const camera = figure?.querySelector(".modebar-btn[data-attr=toImage], .modebar-btn[data-title^='Download plot']")
      if (!camera) return
      const options = figure._context.toImageButtonOptions
      const before = { format: options.format, paper: figure.layout.paper_bgcolor }
      options.format = button.dataset.format
      figure.layout.paper_bgcolor = background || before.paper
      try {
        camera.click()
      } finally {
        options.format = before.format
        figure.layout.paper_bgcolor = before.paper
      }
    }
  }
}

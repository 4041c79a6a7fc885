/* Browsers start no Worker from file://. There a hidden frame stands in for it: the same messages,
   the same importScripts, in the page's own thread. Served by http, nothing changes. */
(() => {
  if (location.protocol !== "file:") return

  class FrameWorker extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.appendChild(this.frame)
      this.ready = new Promise((resolve) => this.frame.addEventListener("load", resolve))
      window.addEventListener("message", ({ source, data }) => {
        if (source !== this.frame.contentWindow) return
        const message = new MessageEvent("message", { data })
        this.dispatchEvent(message)
        if (this.onmessage) this.onmessage(message)
      })
      const page = this.frame.contentWindow.document
      page.open()
      page.write(`<script>
        postMessage = (data) => parent.postMessage(data, "*")
        importScripts = (...urls) => urls.reduce((before, url) => before.then(() =>
          new Promise((resolve) => {
            const script = document.createElement("script")
            script.src = url
            script.onload = resolve
            document.body.appendChild(script)
          })), Promise.resolve())
      <\/script><body><script src="${url}"><\/script></body>`)
      page.close()
    }

    postMessage(data) {
      const message = new MessageEvent("message", { data })
      this.ready.then(() => {
        const there = this.frame.contentWindow
        there.dispatchEvent(message)
      })
    }

    terminate() {
      this.frame.remove()
    }
  }

  window.Worker = FrameWorker
})()

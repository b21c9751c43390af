// Browsers refuse workers to pages that are files. Here the worker's script runs in a hidden frame, and messages go to and fro.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = this.onerror = null;
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      this.frame = frame;
      window.addEventListener("message", event => {
        if (event.source !== frame.contentWindow) return;
        const copy = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(copy);
        if (this.onmessage) this.onmessage(copy);
      });
      const inner = frame.contentWindow.document;
      inner.open();
      inner.write("<html><body><script>self.importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise(done => {" +
        "const script = document.createElement('script'); script.src = url; script.onload = script.onerror = done; document.body.appendChild(script); " +
        "})), Promise.resolve()); self.postMessage = data => parent.postMessage(data, '*');<\/script>" +
        `<script src="${new URL(url, document.baseURI)}"><\/script></body></html>`);
      inner.close();
      frame.onload = () => { this.loaded = true; this.waiting.splice(0).forEach(data => this.send(data)); };
    }
    send(data) { this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data, source: window })); }
    postMessage(data) { this.loaded ? this.send(data) : this.waiting.push(data); }
    terminate() { this.frame.remove(); }
  };
  window.Worker = window.IFrameWorker;
}

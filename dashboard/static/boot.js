// The language of the address is the language of the page: <html lang>, and every formatter that asks the browser.
(function () {
  // All pages speak to the root: Streamlit would look for its server below each page first, and complain.
  window.__streamlit = { BACKEND_BASE_URL: location.origin + "/" };
  function lang() { return new URLSearchParams(location.search).get("lang") === "en" ? ["en-GB", "en"] : ["vi-VN", "vi"]; }
  function tell() { document.documentElement.lang = lang()[1]; }
  Object.defineProperty(navigator, "languages", { get: lang });
  Object.defineProperty(navigator, "language", { get: function () { return lang()[0]; } });
  ["pushState", "replaceState"].forEach(function (name) {
    var original = history[name];
    history[name] = function () { var result = original.apply(history, arguments); tell(); return result; };
  });
  addEventListener("popstate", tell);
  tell();
})();
// Streamlit knows no language but its own: the words it brings are said again in Vietnamese, where they stand.
(function () {
  // Where Streamlit speaks by itself; what the pages say is theirs.
  const PLACES = ["stFileUploader", "stDialog", "stSelectbox", "stSelectboxVirtualDropdown", "stMultiSelect", "stSkipToContent", "stConnectionStatus", "stStatusWidget", "stHeader", "stSidebar", "stExpandSidebarButton"]
    .map(function (name) { return "[data-testid=" + name + "]"; }).concat("[role=dialog]", "[role=listbox]").join();
  const SAID = [
    [/^Upload$/, "Chọn tệp"],
    [/^(\d+)(?:\.0)?MB per file(.*)$/, "Tối đa $1 MB mỗi tệp$2"],
    [/^(?:Error: )?File must be (\d+)(?:\.0)?MB or smaller\.$/, "Tệp phải từ $1 MB trở xuống."],
    [/^(?:Error: )?(.+) files are not allowed\.$/, "Không nhận tệp loại $1."],
    [/^(?:Error: )?File type not allowed\.$/, "Không nhận tệp loại này."],
    [/^Error: (.*)$/, "Lỗi: $1"],
    [/^Drag and drop .*$/, "Kéo thả tệp vào đây"],
    [/^Remove (.*)$/, "Bỏ tệp $1"],
    [/^Cancel upload of (.*)$/, "Dừng tải tệp $1"],
    [/^Add files$/, "Thêm tệp"],
    [/^add icon$/, "thêm"],
    [/^file upload$/, "tải tệp lên"],
    [/^Page not found$/, "Không có trang này"],
    [/^You have requested page (\S+), but .*$/, "Không có trang $1; đây là trang Tổng quan."],
    [/^The page that you have requested .*$/, "Không có trang được yêu cầu; đây là trang Tổng quan."],
    [/^Connection error$/, "Mất kết nối với máy chủ"],
    [/^(?:Is Streamlit still running|Streamlit server is not responding).*$/, "Máy chủ không trả lời. Trang sẽ tự nối lại; nếu không được, hãy báo quản trị viên."],
    [/^Connecting(?: to .*)?$/, "Đang kết nối"],
    [/^Unable to connect .*$/, "Không kết nối được với máy chủ"],
    [/^Running\.\.\.$/, "Đang tính"],
    [/^Stop(?: script)?$/, "Dừng"],
    [/^Rerun$/, "Chạy lại"],
    [/^Close$/, "Đóng"],
    [/^Open$/, "Mở"],
    [/^Clear (?:value|all)$/, "Bỏ chọn"],
    [/^No results$/, "Không tìm thấy"],
    [/^Choose (?:an option|options)$/, "Chọn"],
    [/^Skip to main content$/, "Đến nội dung chính"],
    [/^Expand sidebar$/, "Mở danh sách trang"],
    [/^Collapse sidebar$/, "Đóng danh sách trang"],
    [/^App pages$/, "Các trang"],
    [/^Sidebar$/, "Danh sách trang"],
    [/^Main menu$/, "Trình đơn"],
  ];
  // In either language: readers have no terminal in which to start a server.
  const PLAINER = [
    [/^(?:Is Streamlit still running|Streamlit server is not responding).*$/, "The server does not answer. The page will connect again by itself; if it does not, tell the administrator."],
  ];
  const first = new WeakMap();
  function told(words) {
    const known = document.documentElement.lang === "vi" ? SAID : PLAINER;
    const found = known.find(function (pair) { return pair[0].test(words); });
    return found ? words.replace(found[0], found[1]) : words;
  }
  // What stands in a node is either as Streamlit wrote it, or as it was said here last.
  function say(node, name, words, write) {
    const known = first.get(node) || {};
    const written = known[name] && known[name].said === words ? known[name].written : words;
    const said = told(written);
    known[name] = { written: written, said: said };
    first.set(node, known);
    if (said !== words) write(said);
  }
  function box(root) {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      say(node, "text", node.nodeValue, function (said) { node.nodeValue = said; });
    }
    [root].concat(Array.from(root.querySelectorAll("[aria-label]"))).forEach(function (element) {
      if (element.hasAttribute("aria-label")) say(element, "label", element.getAttribute("aria-label"), function (said) { element.setAttribute("aria-label", said); });
    });
  }
  function all() { document.querySelectorAll(PLACES).forEach(box); }
  // Once a frame, before it is painted: a choice changes the page in many steps that nobody sees.
  let due = 0;
  function soon() { due = due || requestAnimationFrame(function () { due = 0; all(); }); }
  new MutationObserver(soon).observe(document, { childList: true, subtree: true, characterData: true });
  new MutationObserver(soon).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
})();
// What stands first is seen first. A browser draws at once all that came meanwhile, and shows none of it before: so the
// rest of a page waits behind two marks, each once. The head of a page brings the code of the parts, which Streamlit shows
// late where it is not there yet; at the end of the first screen the rest waits until that is on the glass.
(function () {
  const FRAMES = { "cf-asof": 0, "cf-first": 3 };
  const LONGEST = 1500;
  const words = new TextDecoder("latin1");
  const coming = new Set(Object.keys(FRAMES));
  function markIn(data) {
    if (!coming.size || !(data instanceof ArrayBuffer)) return undefined;
    const said = words.decode(data);
    return [...coming].find(function (mark) { return said.includes(mark); });
  }
  function frame() { return new Promise(requestAnimationFrame); }
  function shown(mark) {
    const bars = [...document.querySelectorAll("[data-testid=stSkeleton]")];
    return document.querySelector("." + mark) && !bars.some(function (bar) { return bar.getBoundingClientRect().top < innerHeight; });
  }
  async function painted(mark) {
    while (!shown(mark)) await frame();
    for (let frames = 0; frames < FRAMES[mark]; frames++) await frame();
  }
  // A page in the background paints no frames, and a part may never come: nothing waits longer than this.
  function late() { return new Promise(function (go) { setTimeout(go, LONGEST); }); }
  function inTurn(listener) {
    const waiting = [];
    let passing = false;
    async function pass() {
      passing = true;
      while (waiting.length) {
        const event = waiting.shift();
        const mark = markIn(event.data);
        listener(event);
        if (mark) {
          coming.delete(mark);
          await Promise.race([painted(mark), late()]);
        }
      }
      passing = false;
    }
    return function (event) { waiting.push(event); if (!passing) pass(); };
  }
  window.WebSocket = class extends WebSocket {
    addEventListener(kind, listener, options) {
      super.addEventListener(kind, kind === "message" ? inTurn(listener) : listener, options);
    }
  };
})();

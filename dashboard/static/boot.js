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

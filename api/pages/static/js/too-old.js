// Says so where the page's own script did not run: in words that a browser of any age can read, so in none of this decade.

(function () {
  window.addEventListener("load", function () {
    if (document.documentElement.getAttribute("data-runs")) return;
    var line = document.createElement("p");
    line.className = "too-old";
    line.setAttribute("role", "alert");
    line.textContent =
      "这个浏览器太旧，或者页面没有完整载入。需要 Chrome / Edge / WebView 111、Safari 16.4、Firefox 121 或更新的版本。 " +
      "This browser is too old, or the page did not load whole. It needs Chrome, Edge or WebView 111, Safari 16.4, Firefox 121 or newer.";
    document.body.insertBefore(line, document.body.firstChild);
  });
})();

// Says so where the page's own script did not run: in words that a browser of any age can read, so in none of this decade.
// A phone page then lives on what the server wrote: it loads itself anew, and at its end what it tells is over. A wall in such
// a browser shows the phone's page in large letters; where a good browser only did not get all of the page, it tries again.

(function () {
  var root = document.documentElement;
  var AGAIN_MS = 30000;

  function tell() {
    var line = document.createElement("p");
    line.className = "too-old";
    line.setAttribute("role", "alert");
    line.textContent =
      "这个浏览器太旧，或者页面没有完整载入。需要 Chrome / Edge / WebView 111、Safari 16.4、Firefox 121 或更新的版本。 " +
      "This browser is too old, or the page did not load whole. It needs Chrome, Edge or WebView 111, Safari 16.4, Firefox 121 or newer.";
    document.body.insertBefore(line, document.body.firstChild);
  }

  function end() {
    var main = document.querySelector("main.first");
    if (!main) return;
    main.className += " past";
    var lit = main.querySelectorAll('[data-usable="yes"]');
    Array.prototype.forEach.call(lit, function (place) {
      place.setAttribute("data-usable", "unknown");
    });
  }

  // Only once the server answers: a dead one would leave the browser's error page.
  function again(address) {
    var asked = new XMLHttpRequest();
    asked.open("GET", "/build");
    asked.onload = function () {
      if (asked.status === 200) location.replace(address);
    };
    asked.send();
  }

  window.addEventListener("load", function () {
    if (root.getAttribute("data-runs")) return;
    tell();
    var main = document.querySelector("main.first");
    if (main) setTimeout(end, 1000 * Number(main.getAttribute("data-holds") || 0));
    var wall = /^\/screen\/([^/]+)/.exec(location.pathname);
    var good = "replaceChildren" in document.body && CSS.supports("container-type", "size");
    if (!main && !wall) return;
    setInterval(function () {
      again(wall && !good ? "/m/" + wall[1] + "?letters=large" : location.href);
    }, AGAIN_MS);
    if (wall && !good) again("/m/" + wall[1] + "?letters=large");
  });
})();

// Tells the watcher what the page shows, each time it has become something else, and what the page may not do.
(function () {
  'use strict';

  var BEAT = 100; // ms
  var heard = 0; // when the last message came
  var late = 0; // by how much this page's timers were held up at most since then
  var last = '';

  function now() { return performance.timeOrigin + performance.now(); }

  function text(element) { return element ? element.textContent : ''; }

  function tell() {
    var image = document.querySelector('#card img');
    var state = {
      screen: document.body.getAttribute('data-screen') || '',
      amount: text(document.getElementById('amount')),
      titles: [].map.call(document.querySelectorAll('.words'), function (s) { return text(s.querySelector('h1, h2')); }),
      hints: [].map.call(document.querySelectorAll('.words'), function (s) { return text(s.querySelector('p')); }),
      qr: image ? image.src : '',
      drawn: !!image && image.complete && image.naturalWidth > 0
    };
    var same = JSON.stringify(state);
    if (same !== last) {
      last = same;
      state.at = now();
      state.heard = heard;
      state.late = late;
      watcher(JSON.stringify({ seen: state }));
    }
  }

  var Stream = window.EventSource;
  window.EventSource = function (url, options) {
    var stream = new Stream(url, options);
    stream.addEventListener('message', function () {
      heard = now();
      late = 0;
    });
    return stream;
  };

  window.addEventListener('click', function (event) {
    watcher(JSON.stringify({ clicked: !!window.wanted && !!event.target.closest(window.wanted) }));
  }, true);

  document.addEventListener('securitypolicyviolation', function (event) {
    watcher(JSON.stringify({ violation: event.violatedDirective + ' ' + event.blockedURI }));
  });

  document.addEventListener('DOMContentLoaded', function () {
    tell();
    new MutationObserver(tell).observe(document.body, {
      attributes: true, attributeFilter: ['data-screen', 'src'], childList: true, characterData: true, subtree: true
    });
    document.addEventListener('load', tell, true); // of the QR's image
  });

  var beat = now();
  setInterval(function () {
    late = Math.max(late, now() - beat - BEAT);
    beat = now();
  }, BEAT);
}());

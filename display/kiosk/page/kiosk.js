// The customer's page. It shows what the stream says and knows nothing by itself but to wait.
// Written for the browsers of old kiosks (Chromium 80): no modules, no newer syntax.
(function () {
  'use strict';

  var LOST_AFTER = 4300; // ms without a message, which come every 2,000: two were missed
  var RETRY_AFTER = 1000; // ms
  var CHECK_EVERY = 200; // ms

  var body = document.body;
  var figure = document.getElementById('figure');
  var card = document.getElementById('card');
  var box = document.getElementById('message');
  var amount = document.getElementById('amount');
  var left = document.getElementById('left');
  var sections = document.querySelectorAll('.words');

  var stream = null;
  var heardAt = 0; // of the page's steady clock, as all times here: the customer's display may tell any time of day
  var shown = null; // the message on the screen; null: what the page says by itself
  var over = 0; // when the screen's time is over; 0: never
  var ended = ''; // path of the QR whose time was over last

  function now() { return performance.now(); }

  function connect() {
    disconnect();
    heardAt = now();
    stream = new EventSource('/events');
    stream.onmessage = function (event) {
      heardAt = now();
      take(JSON.parse(event.data));
    };
    stream.onerror = lost;
  }

  function disconnect() {
    if (stream) {
      stream.onmessage = stream.onerror = null;
      stream.close();
      stream = null;
    }
  }

  function lost() {
    disconnect();
    alone('offline');
    setTimeout(connect, RETRY_AFTER);
  }

  // alone shows what the page can say without the daemon: no amount and above all no QR.
  function alone(kind) {
    shown = null;
    over = 0;
    dropQR();
    show(kind, '', [].map.call(sections, function (s) {
      return { title: s.getAttribute('data-' + kind + '-title'), hint: s.getAttribute('data-' + kind + '-hint') };
    }));
  }

  function take(message) {
    if (message.page !== body.getAttribute('data-page')) {
      dropQR();
      location.reload(); // the daemon was updated
      return;
    }
    if (message.qr && message.qr.path === ended) {
      return; // a late heartbeat must not bring a QR back
    }
    var end = message.until ? now() + (message.until - message.now) : 0;
    if (shown && shown.version === message.version && shown.screen === message.screen) {
      over = over && end ? Math.min(over, end) : end; // a late heartbeat must not lengthen a QR's life
      if (message.qr && !card.firstChild) {
        drawQR();
      }
      return;
    }
    dropQR();
    shown = message;
    over = end;
    show(message.screen, message.amount || '', message.words);
    drawQR();
    tick();
    fit(); // the countdown has its text now
  }

  function show(kind, amountText, words) {
    var changes = body.getAttribute('data-screen') !== kind || amount.textContent !== amountText;
    body.setAttribute('data-screen', kind);
    setText(amount, amountText);
    [].forEach.call(sections, function (section, i) {
      setText(section.querySelector('h1, h2'), words[i].title);
      setText(section.querySelector('p'), words[i].hint || '');
    });
    fit();
    if (changes) {
      body.classList.remove('entering');
      void body.offsetWidth; // lets the animation start anew
      body.classList.add('entering');
    }
  }

  function setText(element, text) {
    if (element.textContent !== text) { // an unchanged text is not read aloud again
      element.textContent = text;
    }
  }

  // fit makes long texts smaller until they are all on the screen.
  function fit() {
    var root = document.documentElement;
    for (var size = 100; size >= 50; size -= 4) {
      root.style.setProperty('--fit', size / 100);
      if (box.scrollHeight <= room() && amount.scrollWidth <= amount.clientWidth) {
        return;
      }
    }
  }

  function room() {
    var main = document.getElementById('main');
    var style = getComputedStyle(main);
    var height = main.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    if (style.flexDirection === 'column') {
      height -= figure.offsetHeight + parseFloat(getComputedStyle(figure).marginBottom);
    }
    return height + 1;
  }

  // drawQR asks for an image that is drawn for the pixels there are: every module is as many whole pixels as fit.
  function drawQR() {
    var qr = shown && shown.qr;
    if (!qr) {
      return;
    }
    var ratio = window.devicePixelRatio || 1;
    var padding = 2 * parseFloat(getComputedStyle(card).paddingTop);
    var side = Math.min(figure.clientWidth, figure.clientHeight) - padding;
    var scale = Math.max(1, Math.min(32, Math.floor(side * ratio / (qr.modules || side))));
    var image = new Image();
    image.alt = '';
    image.width = image.height = Math.floor(side);
    image.src = qr.path + '?scale=' + scale;
    if (qr.modules) {
      image.style.width = image.style.height = qr.modules * scale / ratio + 'px';
    }
    image.onerror = function () {
      if (image.parentNode === card) {
        dropQR(); // the next heartbeat tries again
      }
    };
    dropQR();
    card.appendChild(image);
  }

  function dropQR() {
    while (card.firstChild) {
      card.firstChild.onerror = null;
      card.removeChild(card.firstChild);
    }
  }

  function tick() {
    if (stream && now() - heardAt > LOST_AFTER) {
      lost();
      return;
    }
    if (!shown || !shown.qr) {
      return;
    }
    var remains = over - now();
    if (over && remains <= 0) {
      ended = shown.qr.path;
      alone('wait'); // the server's next word is on its way
      return;
    }
    var seconds = Math.ceil(remains / 1000);
    var rest = seconds % 60;
    setText(left, Math.floor(seconds / 60) + ':' + (rest < 10 ? '0' : '') + rest);
  }

  // What a customer's fingers, or a keyboard-wedge scanner that types here, must not do.
  ['contextmenu', 'dragstart', 'selectstart', 'keydown', 'wheel', 'touchmove'].forEach(function (name) {
    document.addEventListener(name, function (event) { event.preventDefault(); }, { passive: false });
  });
  window.addEventListener('resize', function () {
    fit();
    drawQR();
  });
  window.addEventListener('pagehide', function () {
    dropQR();
    disconnect();
  });
  window.addEventListener('pageshow', function (event) {
    if (event.persisted) {
      lost();
    }
  });

  setInterval(tick, CHECK_EVERY);
  fit();
  connect();
}());

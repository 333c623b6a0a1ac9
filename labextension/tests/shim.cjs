// What JupyterLab's packages expect of a browser and jsdom does not have.
const util = require('util');
const crypto = require('crypto');

globalThis.DragEvent ??= class DragEvent extends MouseEvent {};
globalThis.TextEncoder ??= util.TextEncoder;
globalThis.TextDecoder ??= util.TextDecoder;
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
globalThis.crypto ??= crypto.webcrypto;
globalThis.fetch ??= () =>
  Promise.reject(new Error('no network in unit tests'));
globalThis.Request ??= class {};
globalThis.Headers ??= class {};
globalThis.Response ??= class {};
globalThis.matchMedia ??= () => ({
  matches: false,
  addEventListener() {},
  removeEventListener() {},
  addListener() {},
  removeListener() {}
});
globalThis.requestIdleCallback ??= f =>
  setTimeout(() => f({ didTimeout: false, timeRemaining: () => 50 }), 0);
globalThis.cancelIdleCallback ??= clearTimeout;

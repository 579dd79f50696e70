/* Says hello to Pipedrive (a frame that does not within 10 s is not shown) and follows its theme. */
(function () {
  'use strict';
  var root = document.documentElement;

  function useTheme(theme) {
    if (theme === 'dark' || theme === 'light') root.dataset.theme = theme;
  }

  // Opened outside Pipedrive the page stands alone; the SDK would wait for a host that never answers.
  if (window.parent === window) return;

  var size = { height: Number(root.dataset.height) };
  if (root.dataset.width) size.width = Number(root.dataset.width);

  Promise.resolve()
    .then(function () {
      return new AppExtensionsSDK().initialize({ size: size });
    })
    .then(function (sdk) {
      useTheme(sdk.userSettings && sdk.userSettings.theme);
      // After a change sdk.userSettings.theme is undefined (SDK 0.15.1): only the callback's own data counts.
      sdk.listen(AppExtensionsSDK.Event.USER_SETTINGS_CHANGE, function (event) {
        useTheme(event && event.data && event.data.theme);
      });
    })
    .catch(function (error) {
      console.error('Pipedrive did not answer', error);
    });
})();

/* The page's talk with Pipedrive by its SDK: hello (a frame that does not within 10 s is not shown), theme, size, words, tokens. */
(function () {
  'use strict';
  var root = document.documentElement;

  /* Opened outside Pipedrive the page stands alone; the SDK would wait for a host that never answers. */
  var host = window.parent === window ? Promise.resolve(null) : greet();

  function greet() {
    return Promise.resolve()
      .then(function () {
        return new AppExtensionsSDK().initialize({ size: firstSize() });
      })
      .then(function (sdk) {
        useTheme(sdk.userSettings && sdk.userSettings.theme);
        /* After a change sdk.userSettings.theme is undefined (SDK 0.15.1): only the callback's own data counts. */
        sdk.listen(AppExtensionsSDK.Event.USER_SETTINGS_CHANGE, function (event) {
          useTheme(event && event.data && event.data.theme);
        });
        return sdk;
      })
      .catch(function (error) {
        console.error('Pipedrive did not answer', error);
        return null;
      });
  }

  function useTheme(theme) {
    if (theme === 'dark' || theme === 'light') root.dataset.theme = theme;
  }

  function firstSize() {
    var size = { height: Number(root.dataset.height) };
    if (root.dataset.width) size.width = Number(root.dataset.width);
    return size;
  }

  /** Asks the host; null when there is none. Rejects when the host refuses. */
  function ask(command, args) {
    return host.then(function (sdk) {
      return sdk === null ? null : sdk.execute(AppExtensionsSDK.Command[command], args);
    });
  }

  /** Like `ask`, for what is pleasant but not needed. */
  function tell(command, args) {
    return ask(command, args).catch(function (error) {
      console.warn('Pipedrive refused ' + command, error);
      return null;
    });
  }

  window.pipedrive = {
    say: function (message) {
      return tell('SHOW_SNACKBAR', { message: message });
    },
    /** Whether the person said yes. Without a host the browser's own dialog asks. */
    confirm: function (title, description, okText) {
      var red = AppExtensionsSDK.Color && AppExtensionsSDK.Color.NEGATIVE;
      return ask('SHOW_CONFIRMATION', { title: title, description: description, okText: okText, okColor: red }).then(
        function (answer) {
          return answer === null ? window.confirm(title + '\n' + description) : answer.confirmed === true;
        },
      );
    },
    signedToken: function () {
      return ask('GET_SIGNED_TOKEN').then(function (answer) {
        return answer && typeof answer.token === 'string' ? answer.token : null;
      });
    },
    closeModal: function () {
      return tell('CLOSE_MODAL');
    },
    resize: function (heightPx) {
      return tell('RESIZE', { height: heightPx });
    },
  };
})();

// The one key map of this window.

import { KeyMap } from "./keymap.js";

export const keys = new KeyMap();

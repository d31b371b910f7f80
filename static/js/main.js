/** Start the banner on the connector's own page, as who is signed in there. */

import { start } from "./banner.js";

start();

// The table of pages: a new page is a row here and a module that exports `mount`.

/** @type {import("./router.js").PageRow[]} */
export const PAGES = [
  {
    path: "/sign-in",
    title: "Sign in",
    roles: null,
    theme: "dark",
    load: () => import("./sign_in_page.js"),
  },
  {
    path: "/worklist",
    title: "Worklist",
    roles: ["reader"],
    theme: "dark",
    isInMenu: true,
    load: () => import("../reading/worklist_page.js"),
  },
  {
    path: "/timepoints/:timepoint_id/read",
    title: "Reading",
    roles: ["reader"],
    theme: "dark",
    load: () => import("../reading/reading_page.js"),
  },
  {
    path: "/cohort",
    title: "Cohort",
    roles: ["sponsor", "coordinator", "administrator"],
    theme: "light",
    isInMenu: true,
    load: () => import("../sponsor/cohort_page.js"),
  },
  {
    path: "/home",
    title: "Home",
    roles: [],
    theme: "light",
    load: () => import("./home_page.js"),
  },
];

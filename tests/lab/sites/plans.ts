// What a visitor does on each site who is also its editor. The same steps, at the domain and at the onion.
import type { Step } from "./browser";
import type { Account } from "./origin";

/** In the browser: every URL that the page's elements have, as the browser understands them. */
export const links = `return [...document.querySelectorAll("[href],[src],[action],[data-url]")].map((one) =>
  one.href?.baseVal ?? one.href ?? one.src ?? one.action ?? one.dataset.url).filter((url) => typeof url === "string")`;

export const postTitle = "Sealed papers";

/** WordPress: log in, write a post with a picture in the block editor, read it, comment, feeds and admin pages, log out. `at` is `https://www.blog.test` or the onion's. */
export function wordpressSteps(at: string, { user, password }: Account): Step[] {
  // A real client of the site's own API: the editor's store, its nonce, its own URL of the API.
  const write = `const done = arguments[0];
(async () => {
  const bytes = Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="), (c) => c.charCodeAt(0));
  const body = new FormData();
  body.append("file", new Blob([bytes], { type: "image/png" }), "stamp.png");
  const picture = await wp.apiFetch({ path: "/wp/v2/media", method: "POST", body });
  const link = location.origin + "/wp-login.php";
  const content = '<!-- wp:image {"id":' + picture.id + '} --><figure class="wp-block-image"><img src="' + picture.source_url + '" alt=""/></figure><!-- /wp:image -->' +
    '<!-- wp:paragraph --><p>Text with <a href="' + link + '">a link of the editor</a>.</p><!-- /wp:paragraph -->';
  wp.data.dispatch("core/editor").editPost({ title: ${JSON.stringify(postTitle)}, content, status: "publish" });
  wp.data.dispatch("core/editor").resetEditorBlocks(wp.blocks.parse(content));
  await wp.data.dispatch("core/editor").savePost();
  done({ status: wp.data.select("core/editor").getEditedPostAttribute("status"), link: wp.data.select("core/editor").getPermalink(), picture: picture.source_url });
})().catch((error) => done("" + (error.message ?? error)))`;
  return [
    { name: "front page", open: `${at}/`, run: links },
    { name: "login form", open: `${at}/wp-login.php` },
    { name: "log in", fill: { "#user_login": user, "#user_pass": password }, click: "#wp-submit" },
    { name: "dashboard", run: "return document.querySelector('#wp-admin-bar-my-account') !== null" },
    { name: "block editor", open: `${at}/wp-admin/post-new.php` },
    { name: "write", call: write },
    { name: "posts", open: `${at}/wp-admin/edit.php`, run: links },
    { name: "media", open: `${at}/wp-admin/upload.php?mode=list` },
    {
      name: "settings",
      open: `${at}/wp-admin/options-general.php`,
      run: "return document.querySelector('#home').value",
    },
    { name: "front page with the post", open: `${at}/`, run: links },
    { name: "the post", click: ".entry-title a", run: links },
    { name: "comment", fill: { "#comment": "A remark." }, click: "#submit" },
    {
      name: "comment is there",
      run: "return [document.querySelector('.comment-content')?.textContent.trim(), document.querySelector('.entry-content img')?.naturalWidth]",
    },
    { name: "log out", click: "#wp-admin-bar-logout a, .logged-in-as a[href*=logout]" },
  ];
}

export const issueTitle = "The index lacks a page";

/** Redmine: log in, file an issue, comment on it, settings, log out. */
export function redmineSteps(at: string, { user, password }: Account): Step[] {
  return [
    { name: "front page", open: `${at}/`, run: links },
    { name: "login form", click: "a.login" },
    { name: "log in", fill: { "#username": user, "#password": password }, click: "#login-submit" },
    { name: "my page", open: `${at}/my/page`, run: "return document.querySelector('#loggedas a.user')?.textContent" },
    { name: "project", open: `${at}/projects/press`, run: links },
    { name: "issue form", open: `${at}/projects/press/issues/new` },
    {
      name: "file it",
      fill: { "#issue_subject": issueTitle, "#issue_description": `See ${at}/projects/press` },
      click: "#issue-form input[name=commit]",
    },
    {
      name: "the issue",
      run: "return [document.querySelector('.subject h3')?.textContent, document.querySelector('#issue_description_wiki a, .description .wiki a')?.href]",
    },
    { name: "edit form", click: "#content > .contextual a.icon-edit" },
    { name: "comment", fill: { "#issue_notes": "Seen." }, click: "#issue-form input[name=commit]" },
    { name: "issues", open: `${at}/projects/press/issues`, run: links },
    {
      name: "settings",
      open: `${at}/settings`,
      run: `return document.querySelector('[name="settings[host_name]"]')?.value`,
    },
    { name: "users", open: `${at}/users`, run: links },
    { name: "log out", click: "a.logout" },
    { name: "logged out", open: `${at}/`, run: "return document.querySelector('#loggedas') === null" },
  ];
}

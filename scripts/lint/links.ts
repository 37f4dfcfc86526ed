import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** A link of a page. */
export interface Link {
  readonly line: number;
  /** As written: a path, with an anchor if it has one, or an address. */
  readonly target: string;
}

const withoutCode = (markdown: string): string =>
  markdown
    .replaceAll(/^\s*```[\s\S]*?^\s*```\s*$/gm, (block) => block.replaceAll(/[^\n]/g, " "))
    .replaceAll(/`[^`\n]+`/g, (span) => " ".repeat(span.length));

/** Links and pictures of a page, but for those in code. Pure. */
export function linksOf(markdown: string): Link[] {
  const text = withoutCode(markdown);
  return [...text.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length,
    target: match[1] ?? "",
  }));
}

/** Anchors of a page's headings, as GitHub makes them. Pure. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  const text = markdown.replaceAll(/^\s*```[\s\S]*?^\s*```\s*$/gm, "");
  return [...text.matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = ""]) => {
    const slug = heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${String(before)}`;
  });
}

/** Why links of a page lead nowhere: a file that is missing, or an anchor. Addresses are left alone. */
export function deadLinks(root: string, page: string): string[] {
  const text = readFileSync(join(root, page), "utf8");
  return linksOf(text).flatMap(({ line, target }) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), path));
    const at = `${page}:${String(line)}: ${target}`;
    if (!existsSync(join(root, file))) return [`${at}: no such file`];
    if (anchor === undefined) return [];
    if (!file.endsWith(".md") || statSync(join(root, file)).isDirectory()) return [`${at}: no anchors there`];
    return anchorsOf(readFileSync(join(root, file), "utf8")).includes(anchor) ? [] : [`${at}: no such heading`];
  });
}

/** Pages below `docs/` that their index does not link. */
export function unlistedPages(root: string, pages: readonly string[]): string[] {
  const index = linksOf(readFileSync(join(root, "docs/README.md"), "utf8")).map(({ target }) => `docs/${target}`);
  const listed = pages.filter((page) => /^docs\/(guides|concepts|reference)\//.test(page) && !index.includes(page));
  return listed.map((page) => `docs/README.md: does not link ${page}`);
}

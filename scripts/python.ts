/**
 * Checks the Python package. What it needs is installed into virtual environments below `.data/python/`, which git ignores.
 *
 *     node scripts/python.ts           everything, with PyTorch, transformers and Lightning: `npm run test:python`
 *     node scripts/python.ts --fast    what needs no framework: lint, types, pure tests, and the package as it is published
 *
 * The frameworks take 6 GB. PIP_EXTRA_INDEX_URL may name an index that has PyTorch for CPUs alone.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Option } from "commander";

import { EXIT, programOf } from "@verai/process/program";
import { ROOT } from "./check/files.ts";
import { findPython, PYTHON_WANTED, pythonEnvironment } from "./python/environment.ts";

const HOME = join(ROOT, "python");
/** Longest time of one command, milliseconds. */
const COMMAND_MS = 1_800_000;

const { fast } = programOf("python", "Checks the Python package")
  .addOption(new Option("--fast", "only what needs no framework").default(false))
  .parse()
  .opts<{ fast: boolean }>();

const interpreter = findPython();
if (interpreter === undefined) {
  console.log(`skipped: the Python package's checks need ${PYTHON_WANTED}`);
  process.exit(EXIT.done);
}

const tools = pythonEnvironment(interpreter, "tools", join(HOME, "requirements-dev.txt"));
const tool = (name: string) => join(tools, "bin", name);
run(tool("ruff"), ["check", "."]);
run(tool("ruff"), ["format", "--check", "--quiet", "."]);
run(tool("mypy"), []);
run(tool("pytest"), ["--ignore", "tests/frameworks"]);
checkPublished(interpreter);
if (!fast) {
  const frameworks = pythonEnvironment(interpreter, "frameworks", join(HOME, "requirements-frameworks.txt"));
  run(join(frameworks, "bin", "pytest"), ["tests/frameworks", "--capture=no"]);
}

/** Builds what would be published, checks it, and uses it in an environment that has nothing else. */
function checkPublished(python: string): void {
  const directory = mkdtempSync(join(tmpdir(), "drmp-python-"));
  try {
    run(tool("pyproject-build"), ["--no-isolation", "--outdir", directory, "."], { quiet: true });
    const files = readdirSync(directory).map((name) => join(directory, name));
    run(tool("twine"), ["check", "--strict", ...files], { quiet: true });
    const wheel = files.find((file) => file.endsWith(".whl"));
    if (wheel === undefined) throw new Error("The build left no wheel.");
    const fresh = join(directory, "fresh");
    run(python, ["-m", "venv", fresh]);
    const own = join(fresh, "bin", "python");
    run(own, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", wheel]);
    const use = [
      "import drmp, importlib.resources, pathlib",
      "assert importlib.resources.files('drmp').joinpath('py.typed').is_file()",
      "drmp.checkpoint.save(1, lambda path: (path / 'state').write_text('a'), 0.5)",
      "newest = drmp.checkpoint.latest()",
      "assert newest is not None and (newest.step, newest.progress) == (1, 0.5), newest",
      "print(f'drmp {drmp.__version__}: built, installed from its wheel, and used')",
    ];
    run(own, ["-I", "-c", use.join("\n")], { cwd: directory });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs a program below `python/`; ends this one if that fails. */
function run(program: string, args: readonly string[], { cwd = HOME, quiet = false } = {}): void {
  const ran = spawnSync(program, args, {
    cwd,
    stdio: quiet ? "pipe" : "inherit",
    encoding: "utf8",
    timeout: COMMAND_MS,
  });
  if (ran.status === 0) return;
  console.error(`${ran.stdout}${ran.stderr}${ran.error?.message ?? ""}`);
  console.error(`failed: ${program} ${args.join(" ")}`);
  process.exit(EXIT.failed);
}

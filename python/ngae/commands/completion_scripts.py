"""Scripts of bash, zsh and fish that complete a list of commands. Everything in them is static."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import ngae
from ngae.commands.completing import Completed, Flag

_BASH = """\
_ngae() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local place="" flags="" words="" values="" files="" at
    # `--flag=value` comes in three words.
    if [[ $word == "=" ]]; then
        word=""
    elif [[ $before == "=" ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        case "${place:+$place }${COMP_WORDS[at]}" in
            @PLACES@) place="${place:+$place }${COMP_WORDS[at]}" ;;
            *) [[ $place == "" ]] && return ;;
        esac
        case "$place" in
            @NESTED@) ;;
            *) break ;;
        esac
    done
    case "$place" in
@COMMANDS@
    esac
    COMPREPLY=()
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$word"))
        return
    fi
    case "$place $before" in
@VALUES@
        *) values=$words ;;
    esac
    if [[ $values != "" && $values != "-" ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$word"))
    elif [[ $files != "" && $values != "-" ]]; then
        compopt -o filenames 2> /dev/null
        local IFS=$'\\n'
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -F _ngae ngae"""

_FISH = """\
function __ngae_at
    set -l words (commandline -opc)
    test (count $words) -gt (count $argv); or return 1
    for at in (seq (count $argv))
        test $words[(math $at + 1)] = $argv[$at]; or return 1
    end
end
function __ngae_only
    test (count (commandline -opc)) -eq (math 1 + (count $argv)); and __ngae_at $argv
end
complete -c ngae -f"""


def script(shell: str, commands: Sequence[Completed]) -> str:
    """Write the script of a shell: bash, zsh or fish."""
    write = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    head = f"ngae {ngae.__version__}: written by `ngae completion {shell}`"
    return f"#compdef ngae\n# {head}\n{write(commands)}" if shell == "zsh" else (
        f"# {head}\n{write(commands)}"
    )  # fmt: skip


def _names(each: Completed) -> str:
    return " ".join(name for flag in each.flags for name in flag.names)


def _top(commands: Sequence[Completed]) -> list[Completed]:
    return [each for each in commands if len(each.path) == 1]


def _bash(commands: Sequence[Completed]) -> str:
    places = [f'"{" ".join(each.path)}"' for each in commands]
    top = " ".join(each.path[0] for each in _top(commands))
    first = f'        "") flags="--help --version" words={shlex.quote(top)} ;;'
    cases, values = [first], []
    for each in commands:
        place = " ".join(each.path)
        cases.append(
            f'        "{place}") flags={shlex.quote(_names(each))} '
            f"words={shlex.quote(' '.join(each.words))} files={'1' if each.files else chr(34) * 2}"
            " ;;"
        )
        for flag in each.flags:
            if flag.takes:
                pattern = "|".join(f'"{place} {name}"' for name in flag.names)
                values.append(f"        {pattern}) {_bash_value(flag)} ;;")
    nested = "|".join({each.path[0]: "" for each in commands if len(each.path) > 1})
    text = _BASH.replace("@PLACES@", "|".join(places)).replace("@NESTED@", nested)
    return text.replace("@COMMANDS@", "\n".join(cases)).replace("@VALUES@", "\n".join(values))


def _bash_value(flag: Flag) -> str:
    if flag.values:
        return f"values={shlex.quote(' '.join(flag.values))}"
    return 'values="" files=1' if flag.files else "values=-"


def _zsh(commands: Sequence[Completed]) -> str:
    parts = []
    for each in commands:
        inner = [other for other in commands if other.path[:-1] == each.path]
        body = _zsh_choice(inner, f"{_function(each)}_") if inner else _zsh_arguments(each)
        parts.append(f"{_function(each)}() {{\n{body}\n}}")
    parts.append(f"_ngae() {{\n{_zsh_choice(_top(commands), '_ngae_')}\n}}")
    # By fpath the file is the function's body; by eval the function is to be made known.
    end = 'if [[ "${funcstack[1]}" == _ngae ]]; then\n  _ngae "$@"\nelse\n  compdef _ngae ngae\nfi'
    return "\n".join([*parts, end])


def _function(each: Completed) -> str:
    return "_".join(["_ngae", *each.path])


def _zsh_choice(commands: Sequence[Completed], prefix: str) -> str:
    listed = " ".join(shlex.quote(f"{each.path[-1]}:{_zsh_help(each.help)}") for each in commands)
    names = "|".join(each.path[-1] for each in commands)
    return (
        "  local -a known\n"
        f"  known=({listed})\n"
        "  if (( CURRENT == 2 )); then\n"
        "    _describe command known\n"
        "    return\n"
        "  fi\n"
        '  case "$words[2]" in\n'
        f"    {names}) shift words; (( CURRENT-- )); {prefix}$words[1] ;;\n"
        "  esac"
    )


def _zsh_help(text: str) -> str:
    return text.replace("\\", "").replace(":", " -").replace("[", "(").replace("]", ")")


def _zsh_arguments(each: Completed) -> str:
    lines = []
    for flag in each.flags:
        for name in flag.names:
            value = f":value:{_zsh_value(flag.values, flag.files)}" if flag.takes else ""
            lines.append(shlex.quote(f"{name}[{_zsh_help(flag.help)}]{value}"))
    if each.words or each.files:
        lines.append(shlex.quote(f"*:argument:{_zsh_value(each.words, each.files)}"))
    return "  _arguments \\\n    " + " \\\n    ".join(lines)


def _zsh_value(values: Sequence[str], files: bool) -> str:
    if values:
        return f"({' '.join(values)})"
    return "_files" if files else " "


def _fish(commands: Sequence[Completed]) -> str:
    lines = [_FISH]
    for each in commands:
        *before, name = each.path
        here = _fish_quote(" ".join(["__ngae_at", *each.path]))
        above = _fish_quote(" ".join(["__ngae_only", *before]))
        start = f"complete -c ngae -n {here}"
        lines.append(f"complete -c ngae -n {above} -a {name} -d {_fish_quote(each.help)}")
        if each.files:
            lines.append(f"{start} -F")
        elif each.words and not any(other.path[:-1] == each.path for other in commands):
            lines.append(f"{start} -a {_fish_quote(' '.join(each.words))}")
        lines += [f"{start} {_fish_flag(flag)}" for flag in each.flags]
    return "\n".join(lines)


def _fish_flag(flag: Flag) -> str:
    names = [f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in flag.names]
    parts = [*names, f"-d {_fish_quote(flag.help)}"]
    if flag.takes:
        values = f" -a {_fish_quote(' '.join(flag.values))}" if flag.values else ""
        parts.append("-r" + (" -F" if flag.files else " -f" + values))
    return " ".join(parts)


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""The manual page and the completion of the shells, made from the very parsers of the commands."""

import argparse
from importlib import import_module
from keyword import iskeyword

from api.commands import COMMANDS


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command; one with actions has a parser for each, as `keys create`."""
    top = argparse.ArgumentParser(prog="yizhan").add_subparsers()
    for name in COMMANDS:
        import_module(f"api.commands.{name}{'_' * iskeyword(name)}").add(top)
    by_name = {}
    for name, parser in top.choices.items():
        by_name[name] = parser
        for action, inner in _actions(parser).items():
            by_name[f"{name} {action}"] = inner
    return by_name


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {name: inner for actions in _of_actions(parser) for name, inner in actions.choices.items()}


def _of_actions(parser: argparse.ArgumentParser) -> "list[argparse._SubParsersAction[argparse.ArgumentParser]]":
    """What names the actions of a command; empty where it has none. argparse tells of itself in no other way."""
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [option for option in parser._actions if option.option_strings and option.help != argparse.SUPPRESS]  # noqa: SLF001


def bash() -> str:
    """Completes commands, their actions and options; files after an option."""
    rows = []
    for name, parser in parsers().items():
        words = [*_actions(parser), *(flag for option in options(parser) for flag in option.option_strings)]
        rows.append(f'        "{name}") words="{" ".join(words)}" ;;')
    table = "\n".join(rows)
    return f"""# bash completion for yizhan
_yizhan() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" words key=""
    key="${{COMP_WORDS[1]}}"
    if [ "$COMP_CWORD" -gt 2 ] && [ "${{COMP_WORDS[2]#-}}" = "${{COMP_WORDS[2]}}" ]; then
        key="$key ${{COMP_WORDS[2]}}"
    fi
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{" ".join(COMMANDS)} --version --help"
    else
        case "$key" in
{table}
        *) words="" ;;
        esac
    fi
    COMPREPLY=( $(compgen -W "$words" -- "$current") )
    [ "${{#COMPREPLY[@]}}" -gt 0 ] || COMPREPLY=( $(compgen -f -- "$current") )
}}
complete -o filenames -F _yizhan yizhan
"""


def zsh() -> str:
    """zsh takes the one for bash."""
    return "#compdef yizhan\nautoload -U +X bashcompinit && bashcompinit\n" + bash()


def manual(version: str, date: str) -> str:
    """yizhan(1) in the language of man."""
    lines = [
        f'.TH YIZHAN 1 "{date}" "yizhan {version}" "User Commands"',
        ".SH NAME",
        r"yizhan \- what is free in couriers' rest stations and community venues, right now",
        ".SH SYNOPSIS",
        r".B yizhan",
        r"[\-\-version] [\-\-log\-format text|json]",
        r".I COMMAND",
        r"\&...",
        ".SH COMMANDS",
    ]
    known = parsers()
    for name, parser in known.items():
        command, _, action = name.partition(" ")
        help_text = COMMANDS.get(name) or parser.description or _help_of(known[command], action)
        lines += [".TP", rf".B {_man(name)}", _man(help_text)]
        for option in options(parser):
            if "--help" in option.option_strings:
                continue
            lines += [".RS", ".TP", rf"\fB{_man(', '.join(option.option_strings))}\fR {_man(_value(option))}"]
            lines += [_man(option.help or "") or r"\&", ".RE"]
    lines += [
        ".SH EXIT STATUS",
        "0 fine, 1 failed while running, 2 usage or configuration.",
        ".SH FILES",
        r".I /etc/yizhan",
        "the configuration;",
        r".I /var/lib/yizhan",
        "what is stored.",
    ]
    return "\n".join(lines) + "\n"


def _help_of(command: argparse.ArgumentParser, action: str) -> str:
    rows = (row for actions in _of_actions(command) for row in actions._choices_actions)  # noqa: SLF001
    return next((row.help or "" for row in rows if row.dest == action), "")


def _value(option: argparse.Action) -> str:
    if option.nargs == 0:
        return ""
    return "|".join(map(str, option.choices)) if option.choices else str(option.metavar or option.dest.upper())


def _man(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("%%", "%").replace("\n", " ")
    return rf"\&{escaped}" if escaped[:1] in (".", "'") else escaped

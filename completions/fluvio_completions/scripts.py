"""The scripts that shells load: each calls `NAME __complete SHELL` and hands over what it answers."""

SHELLS = ("bash", "zsh", "fish", "powershell")

_BASH = """\
# bash completion for NAME; made by `NAME completions bash`.
_FUNCTION_complete() {
    local answer line
    local -a lines=()
    answer=$(COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        command NAME __complete bash "$COMP_LINE" "$COMP_POINT" 2>/dev/null)
    while IFS= read -r line; do lines+=("$line"); done <<< "$answer"
    COMPREPLY=()
    case ${lines[0]} in
        words) COMPREPLY=("${lines[@]:1}") ;;
        file | directory)
            local current=${COMP_WORDS[COMP_CWORD]}
            [[ $current == '=' ]] && current=
            local action=-f
            [[ ${lines[0]} == directory ]] && action=-d
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen $action -- "$current")
            compopt -o filenames 2>/dev/null
            ;;
    esac
}
complete -F _FUNCTION_complete NAMES
"""

_ZSH = """\
#compdef NAMES
# zsh completion for NAME; made by `NAME completions zsh`.
_FUNCTION_complete() {
    local -a lines
    lines=("${(@f)$(command NAME __complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    case $lines[1] in
        file) _files ;;
        directory) _files -/ ;;
        words) (( $#lines > 1 )) && lines=("${(@)lines[2,-1]}") && _describe -V NAME lines ;;
    esac
}
if [[ $funcstack[1] == _FUNCTION ]]; then
    _FUNCTION_complete "$@"
else
    compdef _FUNCTION_complete NAMES
fi
"""

_FISH = """\
# fish completion for NAME; made by `NAME completions fish`.
function __FUNCTION_complete
    set -l current (commandline -ct)
    set -l words (commandline -opc)
    set -l lines (command NAME __complete fish $words[2..-1] $current 2>/dev/null)
    switch "$lines[1]"
        case file
            __fish_complete_path $current
        case directory
            __fish_complete_directories $current
        case words
            for line in $lines[2..-1]
                echo $line
            end
    end
end
EACHcomplete -c NAME -f -a '(__FUNCTION_complete)'
"""

_POWERSHELL = """\
# PowerShell completion for NAME; made by `NAME completions powershell`.
Register-ArgumentCompleter -Native -CommandName NAMES -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
    if ($wordToComplete -eq '') { $words += '""' }
    $lines = @(& NAME __complete powershell @words 2>$null)
    if ($lines.Count -eq 0 -or $lines[0] -ne 'words') { return }
    $lines | Select-Object -Skip 1 | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        if (-not $help) { $help = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
    }
}
"""

_TEXTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL}


def script(shell: str, name: str = "fluvio") -> str:
    """The script of one shell for a command called `name`; for `fluvio` it serves `flv` as well."""
    names = ["fluvio", "flv"] if name == "fluvio" else [name]
    separator = "," if shell == "powershell" else " "
    function = "_" + "".join(character if character.isalnum() else "_" for character in name)
    text = _TEXTS[shell].replace("_FUNCTION", function)
    each = "".join(
        f"complete -c {other} -f -a '(_{function}_complete)'\n" for other in names if other != name
    )
    return text.replace("EACH", each).replace("NAMES", separator.join(names)).replace("NAME", name)

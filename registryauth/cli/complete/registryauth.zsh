#compdef registryauth
# zsh completion for registryauth; `registryauth completion zsh` prints this.
_registryauth() {
  local -a answer values shown ongoing
  local kind line value
  # (Q) takes quotes off and expands nothing.
  answer=("${(@f)$(command registryauth __complete zsh "${(@Q)words[2,CURRENT-1]}" "=${(Q)PREFIX}" </dev/null 2>/dev/null)}")
  kind=$answer[1]
  shift answer
  case $kind in
    files | directories)
      [[ $PREFIX == --*=* ]] && compset -P '*='
      if [[ $kind == files ]]; then _files; else _files -/; fi
      ;;
    values)
      for line in $answer; do
        value=${line%%$'\t'*}
        # What goes on is not ended with a space.
        if [[ $value == */ ]]; then
          ongoing+=("$value")
        else
          values+=("$value")
          if [[ $line == *$'\t'* ]]; then shown+=("$value  -- ${line#*$'\t'}"); else shown+=("$value"); fi
        fi
      done
      (($#values)) && compadd -l -d shown -a values
      (($#ongoing)) && compadd -S '' -a ongoing
      ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _registryauth "$@"
else
  compdef _registryauth registryauth
fi

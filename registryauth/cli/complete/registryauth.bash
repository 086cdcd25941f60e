# bash completion for registryauth; `registryauth completion bash` prints this.
_registryauth() {
  local line=${COMP_LINE:0:COMP_POINT} piece= prefix candidate kind i quoted
  local words=()
  # bash parts words at each of COMP_WORDBREAKS, as in host:5000. What no space parts is one word.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    piece=${COMP_WORDS[i]}
    if ((i == 0)) || [[ $line == [[:space:]]* ]]; then words+=(""); fi
    line=${line#"${line%%[![:space:]]*}"}
    # Of the last one, only what is before the cursor.
    if ((i == COMP_CWORD)); then piece=$line; fi
    words[${#words[@]} - 1]+=$piece
    line=${line#"$piece"}
  done
  local current=${words[${#words[@]} - 1]}
  # What bash has parted off already is not inserted again; an @ it leaves with what follows.
  local breaks=${COMP_WORDBREAKS//[!:=@]/}
  prefix=
  if [[ $breaks && $current == *[$breaks]* ]]; then prefix=${current%"${current##*[$breaks]}"}; fi
  prefix=${prefix%@}
  case $current in \"* | \'*) quoted=1 ;; *) quoted= ;; esac

  COMPREPLY=()
  {
    IFS= read -r kind
    case $kind in
      values)
        while IFS=$'\t' read -r candidate _; do
          if [[ $quoted ]]; then
            COMPREPLY+=("$candidate")
          elif [[ $candidate == "$prefix"* ]]; then
            COMPREPLY+=("${candidate#"$prefix"}")
          fi
        done
        ;;
      files | directories)
        if [[ ! $quoted ]]; then piece=${current#"$prefix"}; fi
        if [[ $kind == files ]]; then i=-f; else i=-d; fi
        while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen "$i" -- "$piece")
        compopt -o filenames 2>/dev/null
        ;;
    esac
  } < <(command registryauth __complete bash "${words[@]:1:${#words[@]} - 2}" "=$current" </dev/null 2>/dev/null)
  # What goes on is not ended with a space.
  if [[ $kind == values && ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _registryauth registryauth

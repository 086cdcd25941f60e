# fish completion for registryauth; `registryauth completion fish` prints this.
function __registryauth_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    set -l current (string unescape -- $typed)
    # Nothing is unescaped where a quote is still open.
    or set current (string replace -r -- '^[\'"]' '' "$typed")
    set -l answer (command registryauth __complete fish $before[2..-1] "=$current" </dev/null 2>/dev/null)
    switch "$answer[1]"
        case values
            string join \n -- $answer[2..-1]
        case files
            __registryauth_paths "$current" __fish_complete_path
        case directories
            __registryauth_paths "$current" __fish_complete_directories
    end
end
function __registryauth_paths --argument-names current complete
    # --ca-file=PATH is one word to fish, and is put back whole.
    set -l option (string match -r -- '^--[^=]*=' "$current")
    for found in ($complete (string replace -- "$option" '' "$current"))
        string join -- '' "$option" $found
    end
end
complete -c registryauth -f -a '(__registryauth_complete)'

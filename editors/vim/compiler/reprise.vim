" :make checks the script; the quickfix list leads to each mistake.
if exists('current_compiler')
  finish
endif
let current_compiler = 'reprise'

CompilerSet makeprg=reprise\ check\ %:S
" error[unknown-name]: 'ner' is not known
"  --> script.reprise:3:9
CompilerSet errorformat=%Eerror[%*[^]]]:\ %m,%Z\ %#-->\ %f:%l:%c,%-G%.%#

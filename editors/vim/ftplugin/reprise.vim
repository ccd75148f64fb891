" Reprise scripts: comments, report text, indentation, and :make.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal expandtab shiftwidth=2 softtabstop=2
setlocal comments=b:##,b:# commentstring=#\ %s
" A comment and report text are wrapped and continued, code is not.
setlocal formatoptions-=t formatoptions+=croql
setlocal smartindent cinkeys-=0#
setlocal suffixesadd=.reprise
setlocal include=^\\s*use\\s*\"
compiler reprise

let b:undo_ftplugin = 'setlocal expandtab< shiftwidth< softtabstop< comments< commentstring< formatoptions<'
  \ . ' smartindent< cinkeys< suffixesadd< include< makeprg< errorformat<'

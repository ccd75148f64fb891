autocmd BufNewFile,BufRead *.reprise setfiletype reprise

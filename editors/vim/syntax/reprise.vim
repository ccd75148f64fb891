" Syntax of Reprise scripts.
if exists('b:current_syntax')
  finish
endif
" A name may have letters of all scripts.
syn iskeyword @,48-57,_,192-255

" Names before a sign that says what they are. What stands further down wins where both begin at the same place.
syn match repriseCall /\<\K\k*\ze\s*(/
syn match repriseOperator "=>\|[-+*/]=\|??\|\.\.\.\|\.\.<\|\*\*\|[=!<>]=\|&&\|||\|[-=+*/%<>!]"
" Words, by editors/make.py
syn match repriseName /\<\%(inf\|nan\|pi\|quantization\|recipe\)\>/
syn match repriseBuiltin /\<\%(ablate\|abs\|agreement\|all\|any\|array\|assert\|attempt\|bars\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(beitB16\|benchmark\|bestRun\|ceil\|channels\|cifar10\|claim\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(colorJitter\|colorNoise\|compare\|compressionReport\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(confusionMatrix\|contains\|cos\|diff\|endsWith\|enumerate\|env\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(evaluate\|exp\|export\|fail\|fashionMNIST\|filter\|findLearningRate\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(first\|flatten\|floor\|folder\|format\|get\|grid\|has\|heatmap\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(histogram\|holdOut\|imagenet\|images\|indexOf\|initialize\|isNan\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(join\|keys\|last\|layerSensitivity\|len\|load\|log\|log10\|log2\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(lower\|macs\|map\|max\|mean\|median\|min\|mobilenetV1\|number\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(parameters\|plot\|preciseBatchNorm\|predict\|preview\|print\|probe\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(progress\|prune\|quantize\|randAugment\|randomErasing\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(randomResizedCrop\|range\|readArray\|readCSV\|readJSON\|readText\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(record\|reduce\|repeat\|repeatedAugmentation\|replace\|resnet\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(resnet101\|resnet152\|resnet18\|resnet20\|resnet32\|resnet34\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(resnet44\|resnet50\|resnet56\|resnet8\|resume\|reverse\|round\|save\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(scaleJitter\|scaled\|scatter\|searchRatios\|seeds\|selectTrial\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(sensitivity\|series\|show\|sin\|sort\|split\|sqrt\|startsWith\|std\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(string\|sum\|sweep\|synthetic\|table\|tanh\|time\|topLosses\|train\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(trim\|typeOf\|unique\|upper\|values\|vgg11\|vgg11BN\|vgg13\|vgg13BN\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(vgg16\|vgg16BN\|vgg19\|vgg19BN\|weightMapping\|why\|withChannels\)\>\ze\s*(/
syn match repriseBuiltin /\<\%(write\|zip\)\>\ze\s*(/
syn match repriseKeyword /\<\%(break\|continue\|else\|fn\|for\|if\|in\|param\|return\|while\|with\)\>/
syn match repriseKeyword /\<\%(and\|not\|or\)\>/
syn match repriseValue /\<\%(false\|none\|true\)\>/
" End of the words
syn match repriseKeyword /\<use\ze\s*"/
syn match repriseLabel /\<\K\k*\ze\s*:/
syn match repriseLabel /\<\K\k*\ze\s*=>/
syn match repriseField /\.\@<!\.\s*\K\k*\>\%(\s*(\)\@!/hs=s+1
syn match repriseFunction /\%(\<fn\s\+\)\@<=\K\k*/
syn match repriseLabel /\%(\<param\s\+\)\@<=\K\k*/
syn match repriseNumber /\<\d[0-9_]*\%(\.\d[0-9_]*\)\?\%([eE][-+]\?\d[0-9_]*\)\?%\?/

syn match repriseEscape contained /\\\%([ntr0\\"]\|u{\x\{1,8}}\)/
syn cluster repriseCode contains=TOP,repriseReport
syn region repriseGroup contained transparent start=/(/ end=/)/ contains=repriseGroup,@repriseCode
syn region repriseInterpolation contained matchgroup=repriseEscape start=/\\(/ end=/)/ contains=repriseGroup,@repriseCode
syn region repriseString start=/"/ end=/"\|$/ contains=repriseEscape,repriseInterpolation
syn region repriseString start=/"""/ end=/"""/ contains=repriseEscape,repriseInterpolation

syn match repriseComment /#.*/ contains=repriseTodo,@Spell
syn keyword repriseTodo contained TODO FIXME
syn match repriseReport /^\s*##.*/ contains=repriseHeading,@Spell
syn match repriseHeading contained /\%(^\s*##\s\)\@<=#\+\s.*/

hi def link repriseBuiltin Function
hi def link repriseCall NONE
hi def link repriseComment Comment
hi def link repriseEscape SpecialChar
hi def link repriseField NONE
hi def link repriseFunction Function
hi def link repriseHeading Title
hi def link repriseKeyword Keyword
hi def link repriseLabel Identifier
hi def link repriseName Constant
hi def link repriseNumber Number
hi def link repriseOperator Operator
hi def link repriseReport SpecialComment
hi def link repriseString String
hi def link repriseTodo Todo
hi def link repriseValue Boolean

syn sync minlines=200
let b:current_syntax = 'reprise'

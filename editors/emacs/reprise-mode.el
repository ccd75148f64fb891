;;; reprise-mode.el --- Major mode for Reprise scripts -*- lexical-binding: t; -*-

;; Version: 1.0
;; Package-Requires: ((emacs "26.1"))
;; Keywords: languages

;;; Commentary:

;; Colours, comments, indentation, and `compile' with `reprise check', whose messages lead to their places.
;;
;;     (add-to-list 'load-path "…/editors/emacs")
;;     (require 'reprise-mode)

;;; Code:

(require 'compile)

(defgroup reprise nil
  "Reprise scripts."
  :group 'languages)

(defcustom reprise-program "reprise"
  "The program that checks scripts."
  :type 'string)

(defcustom reprise-indent 2
  "Columns that each bracket indents by."
  :type 'integer
  :safe #'integerp)

(defface reprise-report '((t :inherit font-lock-doc-face))
  "Text of the report: lines that begin with ##.")

(defface reprise-heading '((t :inherit (bold reprise-report)))
  "Heading of the report.")

;; Words, by editors/make.py
(defconst reprise--keywords
  '("break" "continue" "else" "fn" "for" "if" "in" "param" "return" "while" "with"))
(defconst reprise--values
  '("false" "none" "true"))
(defconst reprise--operators
  '("and" "not" "or"))
(defconst reprise--functions
  '("ablate" "abs" "agreement" "all" "any" "array" "assert" "attempt" "bars" "beitB16" "benchmark" "bestRun"
    "ceil" "channels" "cifar10" "claim" "colorJitter" "colorNoise" "compare" "compressionReport"
    "confusionMatrix" "contains" "cos" "diff" "endsWith" "enumerate" "env" "evaluate" "exp" "export" "fail"
    "fashionMNIST" "filter" "findLearningRate" "first" "flatten" "floor" "folder" "format" "get" "grid" "has"
    "heatmap" "histogram" "holdOut" "imagenet" "images" "indexOf" "initialize" "isNan" "join" "keys" "last"
    "layerSensitivity" "len" "load" "log" "log10" "log2" "lower" "macs" "map" "max" "mean" "median" "min"
    "mobilenetV1" "number" "parameters" "plot" "preciseBatchNorm" "predict" "preview" "print" "probe"
    "progress" "prune" "quantize" "randAugment" "randomErasing" "randomResizedCrop" "range" "readArray"
    "readCSV" "readJSON" "readText" "record" "reduce" "repeat" "repeatedAugmentation" "replace" "resnet"
    "resnet101" "resnet152" "resnet18" "resnet20" "resnet32" "resnet34" "resnet44" "resnet50" "resnet56"
    "resnet8" "resume" "reverse" "round" "save" "scaleJitter" "scaled" "scatter" "searchRatios" "seeds"
    "selectTrial" "sensitivity" "series" "show" "sin" "sort" "split" "sqrt" "startsWith" "std" "string" "sum"
    "sweep" "synthetic" "table" "tanh" "time" "topLosses" "train" "trim" "typeOf" "unique" "upper" "values"
    "vgg11" "vgg11BN" "vgg13" "vgg13BN" "vgg16" "vgg16BN" "vgg19" "vgg19BN" "weightMapping" "why"
    "withChannels" "write" "zip"))
(defconst reprise--names
  '("inf" "nan" "pi" "quantization" "recipe"))
;; End of the words

(defconst reprise--name "[[:alpha:]_][[:alnum:]_]*")

(defvar reprise-font-lock-keywords
  `(("^[ \t]*## \\(#+ .*\\)" 1 'reprise-heading prepend)
    (,(concat "\\_<\\(fn\\)[ \t]+\\(" reprise--name "\\)")
     (1 'font-lock-keyword-face) (2 'font-lock-function-name-face))
    (,(concat "\\_<\\(param\\)[ \t]+\\(" reprise--name "\\)")
     (1 'font-lock-keyword-face) (2 'font-lock-variable-name-face))
    ("\\_<\\(use\\)[ \t]*\"" 1 'font-lock-keyword-face)
    (,(concat "\\_<\\(" reprise--name "\\)[ \t]*\\(?::\\|=>\\)") 1 'font-lock-variable-name-face)
    ;; A field may be called like a keyword; a face that is none keeps others away.
    (,(concat "\\(?:^\\|[^.]\\)\\.[ \t]*\\(" reprise--name "\\)\\_>[ \t]*\\(?:$\\|[^( \t]\\)") 1 'default)
    (,(concat (regexp-opt reprise--functions 'symbols) "[ \t]*(") 1 'font-lock-builtin-face)
    (,(regexp-opt (append reprise--keywords reprise--operators) 'symbols) . 'font-lock-keyword-face)
    (,(regexp-opt (append reprise--values reprise--names) 'symbols) . 'font-lock-constant-face))
  "What `reprise-mode' colours beside strings, comments and report text.")

(defun reprise--syntactic-face (state)
  "The face of a string, a comment or report text, by the STATE of the parser."
  (cond ((nth 3 state) 'font-lock-string-face)
        ((save-excursion
           (goto-char (nth 8 state))
           (and (looking-at-p "##") (progn (skip-chars-backward " \t") (bolp))))
         'reprise-report)
        (t 'font-lock-comment-face)))

;;; Strings: on one line, or between three quotes; \(…) holds code, which may hold strings.

(defun reprise--mark (position syntax)
  "Give the character at POSITION a SYNTAX of its own."
  (put-text-property position (1+ position) 'syntax-table (string-to-syntax syntax)))

(defun reprise--skip-string (quotes)
  "Move from behind the opening quotes of a string to behind the closing ones.
QUOTES is how many there are, 1 or 3.  An open string ends with its line, an
open block with the buffer."
  (let ((ends nil))
    (while (not (or ends (eobp) (and (eolp) (= quotes 1))))
      (cond
       ((looking-at "\\\\(") (forward-char 2) (reprise--skip-code))
       ((eq (char-after) ?\\) (forward-char (if (< (1+ (point)) (point-max)) 2 1)))
       ((looking-at (if (= quotes 3) "\"\"\"" "\"")) (goto-char (match-end 0)) (setq ends t))
       (t (forward-char 1))))))

(defun reprise--skip-code ()
  "Move from behind an opening bracket to behind its end, or that of the line."
  (let ((depth 1))
    (while (not (or (= depth 0) (eolp)))
      (let ((character (char-after)))
        (forward-char 1)
        (cond ((eq character ?\() (setq depth (1+ depth)))
              ((eq character ?\)) (setq depth (1- depth)))
              ((eq character ?\")
               (if (looking-at "\"\"") (progn (forward-char 2) (reprise--skip-string 3)) (reprise--skip-string 1))))))))

(defun reprise--propertize (start end)
  "Mark where the strings between START and END begin and end."
  (goto-char start)
  (let ((state (syntax-ppss)))
    (when (nth 3 state) (goto-char (nth 8 state)))
    (when (nth 4 state) (forward-line 1)))
  (while (and (< (point) end) (re-search-forward "[\"#]" end t))
    (if (eq (char-before) ?#)
        (end-of-line)
      (let ((first (1- (point))))
        (if (looking-at "\"\"") (progn (forward-char 2) (reprise--skip-string 3)) (reprise--skip-string 1))
        (let ((last (1- (point))))
          ;; Quotes in between end nothing: only a fence ends what a fence began.
          (reprise--mark first "|")
          (when (> last first) (reprise--mark last "|")))))))

(defvar reprise-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?\" "." table)
    (modify-syntax-entry ?\\ "." table)
    (dolist (sign '(?+ ?- ?* ?/ ?% ?= ?< ?> ?! ?& ?| ?? ?.)) (modify-syntax-entry sign "." table))
    table)
  "Syntax of scripts; `reprise--propertize' marks strings.")

(defun reprise--continues-p ()
  "Whether the line before ends with a sign that this one must follow."
  (save-excursion
    (and (zerop (forward-line -1))
         (not (nth 8 (syntax-ppss (line-end-position))))
         (progn (end-of-line) (skip-chars-backward " \t") (memq (char-before) '(?= ?+ ?- ?* ?/ ?< ?>))))))

(defun reprise-indent-line ()
  "Indent a line by the brackets that are open where it begins."
  (interactive)
  (let* ((state (save-excursion (syntax-ppss (line-beginning-position))))
         (open (nth 1 state)))
    ;; What stands in a string is the author's.
    (unless (nth 3 state)
      (let ((column
             (if (not open)
                 (if (reprise--continues-p) reprise-indent 0)
               (save-excursion
                 (back-to-indentation)
                 (let ((closes (looking-at-p "[])}]")))
                   (goto-char (1+ open))
                   (skip-chars-forward " \t")
                   (if (or closes (eolp) (eq (char-after) ?#))
                       (progn
                         (goto-char open)
                         (+ (current-indentation) (if closes 0 reprise-indent)))
                     (current-column)))))))
        (if (<= (current-column) (current-indentation))
            (indent-line-to column)
          (save-excursion (indent-line-to column)))))))

;;;###autoload
(define-derived-mode reprise-mode prog-mode "Reprise"
  "Major mode for scripts of Reprise."
  (setq-local comment-start "# " comment-start-skip "#+[ \t]*" comment-end "")
  (setq-local indent-tabs-mode nil)
  (setq-local indent-line-function #'reprise-indent-line)
  (setq-local syntax-propertize-function #'reprise--propertize)
  (setq-local parse-sexp-lookup-properties t)
  (setq-local font-lock-defaults
              '(reprise-font-lock-keywords nil nil nil (font-lock-syntactic-face-function . reprise--syntactic-face)))
  (when buffer-file-name
    (setq-local compile-command
                (concat reprise-program " check " (shell-quote-argument (file-name-nondirectory buffer-file-name))))))

(add-to-list 'compilation-error-regexp-alist-alist
             '(reprise "^ *--> \\(.+\\):\\([0-9]+\\):\\([0-9]+\\)$" 1 2 3))
(add-to-list 'compilation-error-regexp-alist 'reprise)

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.reprise\\'" . reprise-mode))

(provide 'reprise-mode)
;;; reprise-mode.el ends here

"""Reprise scripts in the colours of Pygments."""
from pygments.lexer import RegexLexer, include, words
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

__all__ = ["RepriseLexer"]

# Words, by editors/make.py
KEYWORDS = (
    "break", "continue", "else", "fn", "for", "if", "in", "param", "return", "while", "with",
)
VALUES = (
    "false", "none", "true",
)
OPERATORS = (
    "and", "not", "or",
)
FUNCTIONS = (
    "ablate", "abs", "agreement", "all", "any", "array", "assert", "attempt", "bars", "beitB16", "benchmark",
    "bestRun", "ceil", "channels", "cifar10", "claim", "colorJitter", "colorNoise", "compare",
    "compressionReport", "confusionMatrix", "contains", "cos", "diff", "endsWith", "enumerate", "env",
    "evaluate", "exp", "export", "fail", "fashionMNIST", "filter", "findLearningRate", "first", "flatten",
    "floor", "folder", "format", "get", "grid", "has", "heatmap", "histogram", "holdOut", "imagenet",
    "images", "indexOf", "initialize", "isNan", "join", "keys", "last", "layerSensitivity", "len", "load",
    "log", "log10", "log2", "lower", "macs", "map", "max", "mean", "median", "min", "mobilenetV1", "number",
    "parameters", "plot", "preciseBatchNorm", "predict", "preview", "print", "probe", "progress", "prune",
    "quantize", "randAugment", "randomErasing", "randomResizedCrop", "range", "readArray", "readCSV",
    "readJSON", "readText", "record", "reduce", "repeat", "repeatedAugmentation", "replace", "resnet",
    "resnet101", "resnet152", "resnet18", "resnet20", "resnet32", "resnet34", "resnet44", "resnet50",
    "resnet56", "resnet8", "resume", "reverse", "round", "save", "scaleJitter", "scaled", "scatter",
    "searchRatios", "seeds", "selectTrial", "sensitivity", "series", "show", "sin", "sort", "split", "sqrt",
    "startsWith", "std", "string", "sum", "sweep", "synthetic", "table", "tanh", "time", "topLosses", "train",
    "trim", "typeOf", "unique", "upper", "values", "vgg11", "vgg11BN", "vgg13", "vgg13BN", "vgg16", "vgg16BN",
    "vgg19", "vgg19BN", "weightMapping", "why", "withChannels", "write", "zip",
)
NAMES = (
    "inf", "nan", "pi", "quantization", "recipe",
)
# End of the words
NAME = r"[^\W\d]\w*"


def word(group):
    return words(group, prefix=r"\b", suffix=r"\b")


class RepriseLexer(RegexLexer):
    """A script of Reprise. Any text gives tokens; what is no script gives tokens of errors."""

    name = "Reprise"
    aliases = ["reprise"]
    filenames = ["*.reprise"]
    mimetypes = ["text/x-reprise"]
    url = None

    tokens = {
        "root": [
            (r"(?m)^[ \t]*##[ ]#{1,6}[ ].*$", Generic.Heading),
            (r"(?m)^[ \t]*##.*$", String.Doc),
            (r"\s+", Whitespace),
            (r"[()]", Punctuation),
            include("code"),
        ],
        "code": [
            (r"#.*$", Comment.Single),
            (r'"""', String, "block"),
            (r'"', String, "string"),
            (r"\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d[\d_]*)?%?", Number),
            (rf"\b(fn)(\s+)({NAME})", lambda lexer, match: lexer.declared(match, Name.Function)),
            (rf"\b(param)(\s+)({NAME})", lambda lexer, match: lexer.declared(match, Name.Variable)),
            (r'\buse(?=\s*")', Keyword),
            (rf"(?<!\.)\.\s*{NAME}\b(?!\s*\()", Name.Attribute),
            (rf"{NAME}(?=\s*(?::|=>))", Name.Variable),
            (word(KEYWORDS), Keyword),
            (word(OPERATORS), Operator.Word),
            (word(VALUES), Keyword.Constant),
            (words(FUNCTIONS, prefix=r"\b", suffix=r"\b(?=\s*\()"), Name.Builtin),
            (rf"{NAME}(?=\s*\()", Name.Function),
            (word(NAMES), Name.Constant),
            (NAME, Name),
            (r"=>|[-+*/]=|\?\?|\.\.\.|\.\.<|\*\*|[=!<>]=|&&|\|\||[-=+*/%<>!]", Operator),
            (r"[\[\]{},;:.?]", Punctuation),
        ],
        "escape": [
            (r'\\(?:[ntr0\\"]|u\{[0-9A-Fa-f]{1,8}\})', String.Escape),
            (r"\\\(", String.Interpol, "interpolation"),
        ],
        "string": [
            include("escape"),
            (r'"', String, "#pop"),
            (r'[^"\\\n]+', String),
            (r"\n", Text, "#pop"),
        ],
        "block": [
            include("escape"),
            (r'"""', String, "#pop"),
            (r'[^"\\]+|"', String),
        ],
        "interpolation": [
            (r"\)", String.Interpol, "#pop"),
            (r"\(", Punctuation, "group"),
            (r"[ \t]+", Whitespace),
            include("code"),
            (r"\n", Text, "#pop"),
        ],
        "group": [
            (r"\)", Punctuation, "#pop"),
            (r"\(", Punctuation, "#push"),
            (r"[ \t]+", Whitespace),
            include("code"),
            (r"\n", Text, "#pop"),
        ],
    }

    def declared(self, match, kind):
        yield match.start(1), Keyword, match.group(1)
        yield match.start(2), Whitespace, match.group(2)
        yield match.start(3), kind, match.group(3)

"""Parameters of papermill for notebooks of Reprise: what papermill sets is written in the language of Reprise."""
import math

from papermill.translators import Translator, papermill_translators


class RepriseTranslator(Translator):
    @classmethod
    def translate_none(cls, val):
        return "none"

    @classmethod
    def translate_bool(cls, val):
        return "true" if val else "false"

    @classmethod
    def translate_float(cls, val):
        if math.isfinite(val):
            return repr(val)
        return "nan" if math.isnan(val) else "inf" if val > 0 else "-inf"

    @classmethod
    def translate_str(cls, val):
        text = ""
        for character in val:
            text += {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, character)
        return f'"{text}"'

    @classmethod
    def translate_list(cls, val):
        return "[" + ", ".join(cls.translate(v) for v in val) + "]"

    translate_tuple = translate_list

    @classmethod
    def translate_dict(cls, val):
        if not val:
            return "{}"
        return "{ " + ", ".join(f"{cls.translate_str(str(k))}: {cls.translate(v)}" for k, v in val.items()) + " }"

    @classmethod
    def comment(cls, cmt_str):
        return f"# {cmt_str}".strip()


papermill_translators.register("reprise", RepriseTranslator)


def __getattr__(name):
    # Made when it is asked for: papermill's engines are being imported when they load this module.
    if name == "Engine":
        from papermill.engines import NBClientEngine

        return NBClientEngine
    raise AttributeError(name)

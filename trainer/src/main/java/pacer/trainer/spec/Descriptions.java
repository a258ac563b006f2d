package pacer.trainer.spec;

/** Has a preset's description name the text, where a layer above the preset takes another one and describes nothing itself. */
final class Descriptions {
    private static final String URL = "dataset.url";
    private static final String SHA256 = "dataset.sha256";
    private static final String DESCRIPTION = "description";

    private Descriptions() {}

    /** {@code spec}, made of {@code layers}, with the description that holds for it. */
    static RunSpec settle(RunSpec spec, Layers layers) {
        if (spec.description().isEmpty() || layers.isAboveBase(DESCRIPTION) || !isAnotherText(spec, layers)) {
            return spec;
        }
        return spec.withDescription(
                spec.description() + "; here on " + name(spec.dataset().url()));
    }

    /** A copy from elsewhere, which has to have the preset's digest, is the same text. */
    private static boolean isAnotherText(RunSpec spec, Layers layers) {
        boolean pinned = !spec.dataset().sha256().isEmpty() && !differs(SHA256, spec, layers);
        return !pinned && differs(URL, spec, layers);
    }

    private static boolean differs(String path, RunSpec spec, Layers layers) {
        Setting setting = Schema.RUN.setting(path).orElseThrow();
        return layers.differsFromBase(setting, setting.in(spec));
    }

    /** The last part of the path alone: what stands before it says little, and what stands behind it may be a secret. */
    private static String name(String url) {
        String path = url.startsWith("http") ? url.replaceFirst("[?#].*$", "") : url;
        String bare = path.replaceFirst("/+$", "");
        String last = bare.substring(bare.lastIndexOf('/') + 1);
        return last.startsWith("file:") ? last.substring("file:".length()) : last;
    }
}

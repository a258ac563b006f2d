package pacer.workflows.doctor;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.common.v1.Payloads;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pacer.activities.run.BadInputException;
import pacer.workflows.codec.PayloadEncryption;
import pacer.workflows.codec.PayloadKeys;

/** The codec by which Temporal's UI shows encrypted payloads: whether it is there, has the key that encrypts here, and lets that UI's pages ask. */
record CodecCheck(Map<String, String> environment) {
    private static final String NAME = "codec";
    private static final String ADDRESS = "PACER_CODEC_ENDPOINT";
    private static final Payload WORD = Payload.newBuilder()
            .putMetadata("encoding", ByteString.copyFromUtf8("json/plain"))
            .setData(ByteString.copyFromUtf8("\"pacer doctor\""))
            .build();

    List<Finding> findings() throws InterruptedException {
        String address = address();
        try {
            PayloadKeys keys = PayloadKeys.of(environment);
            if (address.isEmpty()) {
                return keys.isEmpty() ? List.of() : List.of(keyAlone(keys));
            }
            if (keys.isEmpty()) {
                return List.of(Finding.poor(
                        NAME,
                        "an endpoint is named, but no keys: whether it can decode is not known, and nothing is encrypted here",
                        "set " + PayloadKeys.VARIABLE + " as for the workers"));
            }
            return asked(Web.address(ADDRESS, address), keys);
        } catch (BadInputException | IOException e) {
            return List.of(Finding.bad(
                    NAME,
                    e.getMessage(),
                    address.isEmpty()
                            ? "correct " + PayloadKeys.VARIABLE + ", or unset it"
                            : "start it with the workers' keys: pacer codec; or correct " + ADDRESS));
        }
    }

    /** Where pages ask; what {@code pacer codec} would listen at, where nothing else is named. */
    private String address() {
        String named = environment.getOrDefault(ADDRESS, "").strip();
        String listens = environment.getOrDefault("PACER_CODEC", "").strip();
        return !named.isEmpty() || listens.isEmpty() ? named : Places.url(listens);
    }

    private static Finding keyAlone(PayloadKeys keys) {
        return Finding.poor(
                NAME,
                "payloads are encrypted with key " + keys.current().orElseThrow()
                        + ", and no endpoint is named by which the UI shows them",
                "start one: pacer codec; then set " + ADDRESS + " to its address, to have it checked");
    }

    private List<Finding> asked(URI codec, PayloadKeys keys) throws IOException, InterruptedException {
        List<Finding> findings = new ArrayList<>();
        try (Web web = new Web()) {
            findings.add(decodes(web, codec, keys));
            String ui = environment.getOrDefault("PACER_TEMPORAL_UI", "").strip();
            if (!ui.isEmpty()) {
                findings.add(admits(web, codec, Places.origin(Web.address("PACER_TEMPORAL_UI", ui))));
            }
        }
        return findings;
    }

    /** Has it decrypt what is encrypted here. */
    private static Finding decodes(Web web, URI codec, PayloadKeys keys) throws IOException, InterruptedException {
        Payloads encrypted = Payloads.newBuilder()
                .addAllPayloads(new PayloadEncryption(keys).encode(List.of(WORD)))
                .build();
        Web.Answer answer = web.send(HttpRequest.newBuilder(URI.create(codec + "/decode"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(
                        JsonFormat.printer().omittingInsignificantWhitespace().print(encrypted))));
        String key = keys.current().orElseThrow();
        if (answer.status() == 400) {
            return Finding.bad(
                    NAME,
                    codec + " cannot read what is encrypted here: "
                            + answer.body().strip(),
                    "start it again with the file of keys that has " + key);
        }
        if (!answer.ok()) {
            throw new IOException(codec + " answers /decode with status " + answer.status());
        }
        Payloads.Builder back = Payloads.newBuilder();
        try {
            JsonFormat.parser().ignoringUnknownFields().merge(answer.body(), back);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException(codec + " answers /decode with something that is no payload", e);
        }
        return back.getPayloadsList().equals(List.of(WORD))
                ? Finding.good(NAME, codec + " decodes what is encrypted here, with key " + key)
                : Finding.bad(
                        NAME,
                        codec + " gives back something else than was encrypted here with key " + key,
                        "start it with the workers' file of keys: pacer codec");
    }

    /** A browser's own question before it asks. */
    private static Finding admits(Web web, URI codec, String origin) throws IOException, InterruptedException {
        Web.Answer answer = web.send(HttpRequest.newBuilder(URI.create(codec + "/decode"))
                .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "content-type,x-namespace"));
        boolean admitted = answer.ok()
                && answer.headers()
                        .firstValue("Access-Control-Allow-Origin")
                        .filter(allowed -> allowed.equals(origin) || allowed.equals("*"))
                        .isPresent();
        return admitted
                ? Finding.good(NAME, "pages of " + origin + " may ask it")
                : Finding.bad(
                        NAME,
                        codec + " refuses pages of Temporal's UI, " + origin + ", with status " + answer.status(),
                        "start it again: pacer codec --origin " + origin);
    }
}

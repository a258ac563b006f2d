package pacer.trainer.optim;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A recording of PyTorch's optimizers: {@code optimizers.json} with their settings and {@code optimizers.safetensors} with
 * initial values, gradients, and parameters after each of ten steps.
 */
record GoldenOptimizers(JsonNode settings, JsonNode header, ByteBuffer data) {

    /** The folder named by the system property {@code pacer.shared}, or a folder {@code shared} beside the repository. */
    static Path folder() {
        return Path.of(Optional.ofNullable(System.getProperty("pacer.shared")).orElse("../../shared"), "golden");
    }

    static GoldenOptimizers read() throws IOException {
        ObjectMapper json = new ObjectMapper();
        JsonNode settings = json.readTree(folder().resolve("optimizers.json").toFile());
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(folder().resolve("optimizers.safetensors")))
                .order(ByteOrder.LITTLE_ENDIAN);
        int headerBytes = Math.toIntExact(file.getLong(0));
        String header =
                StandardCharsets.UTF_8.decode(file.slice(8, headerBytes)).toString();
        ByteBuffer data = file.slice(8 + headerBytes, file.capacity() - 8 - headerBytes);
        return new GoldenOptimizers(settings, json.readTree(header), data.order(ByteOrder.LITTLE_ENDIAN));
    }

    /** Values [part·count, (part+1)·count) of a tensor, {@code count} being its size without its first dimension. */
    float[] part(String name, int part) {
        JsonNode shape = header.get(name).get("shape");
        int count = 1;
        for (int axis = 1; axis < shape.size(); axis++) {
            count *= shape.get(axis).intValue();
        }
        return floats(name, part * count, count);
    }

    float[] whole(String name) {
        JsonNode offsets = header.get(name).get("data_offsets");
        return floats(name, 0, (offsets.get(1).intValue() - offsets.get(0).intValue()) / 4);
    }

    private float[] floats(String name, int from, int count) {
        int start = header.get(name).get("data_offsets").get(0).intValue();
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = data.getFloat(start + (from + i) * 4);
        }
        return values;
    }
}

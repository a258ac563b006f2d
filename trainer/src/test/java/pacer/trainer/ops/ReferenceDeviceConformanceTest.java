package pacer.trainer.ops;

import pacer.trainer.ops.reference.ReferenceDevice;

/** The reference on strided and BF16 tensors against itself on contiguous F32 ones. */
class ReferenceDeviceConformanceTest extends DeviceConformanceTest {
    @Override
    protected Device open() {
        return new ReferenceDevice();
    }
}

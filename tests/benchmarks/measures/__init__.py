"""How well each measure of faithfulness orders maps, on drawn images whose masks show what decides the class."""

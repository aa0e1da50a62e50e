"""python -m minigan.exercises"""

from minigan.verify.exercises.command import main

main()
